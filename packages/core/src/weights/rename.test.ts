import { expect, test } from 'vitest';
import { ArgumentError } from '../errors.js';
import { renameRules } from './rename.js';

test('rules rename one after the other, with groups, wherever they match', () => {
  const rename = renameRules(['^module\\.=', '\\.norm\\.(\\d)=.norm$1', 'gamma$=weight']);
  expect(rename('module.features.denselayer1.norm.2.gamma')).toBe('features.denselayer1.norm2.weight');
  expect(rename('fc.weight')).toBe('fc.weight');
  expect(renameRules(['a=aa'])('a.a')).toBe('aa.aa');
  expect(renameRules([])('x')).toBe('x');
});

test('the last = parts a rule, so a pattern may look around', () => {
  expect(renameRules(['(?<=layer)0(?=\\.)=1'])('layer0.0.weight')).toBe('layer1.0.weight');
});

test.each(['module', '=x', '(=x', ''])('%j is refused as a rule', (rule) => {
  expect(() => renameRules([rule])).toThrow(ArgumentError);
  expect(() => renameRules([rule])).toThrow(/^The rename rule [^\n]*$/);
});
