import { expect, test } from 'vitest';
import { Random } from '@convkit/core';
import { JsonArrays } from './json-arrays.js';

function parse(text: string | Uint8Array, sizes: () => number): Record<string, unknown[]> {
  const found: Record<string, unknown[]> = {};
  const parser = new JsonArrays((array, element, index) => {
    expect((found[array] ??= []).length).toBe(index);
    found[array].push(element);
  });
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  for (let at = 0; at < bytes.length;) {
    const size = sizes();
    parser.push(bytes.subarray(at, at + size));
    at += size;
  }
  parser.end();
  return found;
}
const whole = (): number => 1 << 20;

const document = {
  info: { year: 2017, note: 'a "quoted" [list], {braces} \\' },
  images: [
    { id: 1, name: 'ünï\u2028😀.jpg' },
    { id: 2, deep: [[[]], { a: [{}, '}'] }] },
  ],
  empty: [],
  licences: 'text, with: marks',
  mixed: [1, -2.5e3, true, null, '', 'x\\"y', [], {}],
  last: null,
};

test('the elements of the top-level arrays are given, wherever the bytes are cut', () => {
  const random = new Random(1);
  const expected = { images: document.images, mixed: document.mixed };
  for (const indent of [undefined, 1, '\t']) {
    const text = `\ufeff${JSON.stringify(document, undefined, indent)}\r\n`;
    expect(parse(text, whole)).toEqual(expected);
    expect(parse(text, () => 1)).toEqual(expected);
    for (let i = 0; i < 50; i++) expect(parse(text, () => 1 + random.int(30))).toEqual(expected);
  }
});

test('a document that is a list has its elements under no name', () => {
  expect(parse('[{"a":1}, [2], 3 ]', () => 2)).toEqual({ '': [{ a: 1 }, [2], 3] });
  expect([parse('[]', whole), parse('{}', whole), parse(' { "a" : [ ] } ', whole)]).toEqual([{}, {}, {}]);
});

const broken: [text: string, message: string][] = [
  ['', 'the JSON ends after 0 bytes, where { or [ should follow'],
  ['{"annotations": [{"id": 1}, {"id": 2', 'the JSON ends after 36 bytes, inside of annotations 1; get the whole file'],
  ['{"annotations": [{"id": 1}', 'where "," or the end of its list should follow'],
  ['{"a": [1]', 'the JSON ends after 9 bytes'],
  ['{"a": [1 2]}', 'expected "," or the end of its list at byte 9, found "2"'],
  ['{"a": [1,]}', 'expected a value at byte 9, found "]"'],
  ['{"a": [1}', 'expected "," or the end of its list at byte 8, found "}"'],
  ['{"a" [1]}', 'expected ":" at byte 5, found "["'],
  ['{a: [1]}', 'expected a key or } at byte 1, found "a"'],
  ['{"a": [1]} x', 'expected nothing more at byte 11, found "x"'],
  ['{"a": [1],}', 'expected a key at byte 10, found "}"'],
  ['12 ', 'expected { or [ at byte 0, found "1"'],
  ['<html>', 'expected { or [ at byte 0, found "<"'],
  ['{"annotations": [{"id": 77, "area": NaN}]}', 'annotations 0 (id 77) at byte 17 is not JSON: Unexpected token'],
  ['{"annotations": [{"id": 7, "bbox": [1}]}', 'is not JSON'],
  ['{"info": {"year": 01}}', 'the value of "info" at byte 9 is not JSON'],
];

test.each(broken)('%s is refused with its place', (text, message) => {
  expect(() => parse(text, whole)).toThrow(message);
  expect(() => parse(text, () => 1)).toThrow(message);
});

test('bytes that are not UTF-8 are refused', () => {
  expect(() => parse(Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d), whole)).toThrow('element 0 at byte 1 is not JSON');
});
