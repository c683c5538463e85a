import { expect, test } from 'vitest';
import { parseVocAnnotation } from './voc-annotation.js';

const annotation = `<?xml version="1.0" encoding="utf-8"?>
<annotation>
  <folder>VOC2007</folder>
  <size><width>353</width><height>500</height><depth>3</depth></size>
  <object>
    <part><name>head</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>
    <name>dog</name>
    <difficult>0</difficult>
    <bndbox>
      <xmin>48</xmin><ymin>240</ymin><xmax>195.5</xmax><ymax>371</ymax>
    </bndbox>
  </object>
  <object>
    <name> person </name><difficult>1</difficult>
    <bndbox><ymax>2</ymax><xmax>1</xmax><xmin>1</xmin><ymin>1</ymin></bndbox>
  </object>
</annotation>
`;
const parse = (text: string) => parseVocAnnotation(text, 'a.xml', ['person', 'dog']);
const changed = (from: string, to: string) => () => parse(annotation.replace(from, to));

test('objects have their class and box; difficult ones are ignored', () => {
  expect(parse(annotation)).toEqual({
    size: { width: 353, height: 500 },
    objects: [
      { class: 1, box: [47, 239, 195.5, 371] },
      { class: 0, box: [0, 0, 1, 2], ignore: true },
    ],
  });
  expect(parse('<annotation/>')).toEqual({ size: undefined, objects: [] });
  expect(parse(annotation.replace('353', '0')).size).toBeUndefined();
});

const broken: [what: string, parse: () => unknown, message: string][] = [
  [
    'another class',
    changed('<name>dog', '<name>cat'),
    'a.xml:7: expected one of 2 classes, found "cat"; pass the classes of this data set',
  ],
  ['no class', changed('<name>dog</name>', ''), 'a.xml:5: expected <name> in <object>, found none'],
  ['no box', changed('bndbox>\n      <xmin>48', 'box>\n      <xmin>48'), 'a.xml:'],
  ['no corner', changed('<xmin>48</xmin>', ''), 'a.xml:9: expected <xmin> in <bndbox>, found none'],
  ['a corner that is no number', changed('48', 'NaN'), 'a.xml:10: expected a number in <xmin>, found "NaN"'],
  ['an empty corner', changed('48', ''), 'a.xml:10: expected a number in <xmin>, found ""'],
  ['swapped corners', changed('195.5', '40'), 'a.xml:9: expected xmin ≤ xmax and ymin ≤ ymax, found 48, 240, 40, 371'],
  ['a size that is no number', changed('353', 'x'), 'a.xml:4: expected a number in <width>'],
  ['another document', () => parse('<html/>'), 'a.xml:1: expected <annotation>, found <html>'],
  ['tags that do not match', changed('</object>', '</objekt>'), 'a.xml:12: not XML: '],
  ['a cut end', () => parse(annotation.slice(0, 300)), 'not XML: unclosed tag'],
  ['text', () => parse('hello'), 'a.xml:1: not XML'],
  ['nothing', () => parse(''), 'a.xml:1: not XML'],
  ['an entity that nobody defined', changed('dog', '&dog;'), 'a.xml:7: not XML: undefined entity'],
];

test.each(broken)('%s is refused with its line', (_, action, message) => {
  expect(action).toThrow(message);
});
