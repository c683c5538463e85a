import { FormatError } from '@convkit/core';
import type { GroundTruth } from '@convkit/core/detection';
import { SaxesParser } from 'saxes';

/** What an XML file of PASCAL VOC says of an image. */
export interface VocAnnotation {
  /** Absent where the file does not say it */
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly objects: readonly GroundTruth[];
}

interface XmlElement {
  readonly name: string;
  readonly line: number;
  readonly children: XmlElement[];
  text: string;
}

/**
 * Reads an annotation of PASCAL VOC. Its corners count from 1 and are part of the object: `xmin` 1, `xmax` 10 is the box from 0 to 10.
 * Objects that are marked as difficult are ignored in an evaluation, as its own does.
 *
 * @throws FormatError naming `file` and the line, for what is not XML, a class that is not in `classes`, or a box that is none.
 * @see Everingham et al., The PASCAL Visual Object Classes Challenge, 2010
 */
export function parseVocAnnotation(text: string, file: string, classes: readonly string[]): VocAnnotation {
  const root = parseXml(text, file);
  if (root.name !== 'annotation') throw new FormatError(`${file}:${root.line}: expected <annotation>, found <${root.name}>`);
  const size = find(root, 'size');
  const [width, height] = ['width', 'height'].map((side) => (size && find(size, side) ? number(size, side, file) : 0));
  return {
    // Some tools write zeros when they do not know it.
    size: width > 0 && height > 0 ? { width, height } : undefined,
    objects: root.children.filter(({ name }) => name === 'object').map((object) => toGroundTruth(object, file, classes)),
  };
}

function toGroundTruth(object: XmlElement, file: string, classes: readonly string[]): GroundTruth {
  const name = need(object, 'name', file);
  const c = classes.indexOf(name.text.trim());
  if (c < 0)
    throw new FormatError(
      `${file}:${name.line}: expected one of ${classes.length} classes, found ${JSON.stringify(name.text.trim())}; pass the classes of this data set`,
    );
  const corners = need(object, 'bndbox', file);
  const [xmin, ymin, xmax, ymax] = ['xmin', 'ymin', 'xmax', 'ymax'].map((corner) => number(corners, corner, file));
  if (xmax < xmin || ymax < ymin)
    throw new FormatError(
      `${file}:${corners.line}: expected xmin ≤ xmax and ymin ≤ ymax, found ${xmin}, ${ymin}, ${xmax}, ${ymax}`,
    );
  const difficult = find(object, 'difficult')?.text.trim() === '1';
  return { class: c, box: [xmin - 1, ymin - 1, xmax, ymax], ...(difficult && { ignore: true }) };
}

function find(parent: XmlElement, name: string): XmlElement | undefined {
  return parent.children.find((child) => child.name === name);
}

function need(parent: XmlElement, name: string, file: string): XmlElement {
  const child = find(parent, name);
  if (child === undefined) throw new FormatError(`${file}:${parent.line}: expected <${name}> in <${parent.name}>, found none`);
  return child;
}

function number(parent: XmlElement, name: string, file: string): number {
  const { text, line } = need(parent, name, file);
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value))
    throw new FormatError(`${file}:${line}: expected a number in <${name}>, found ${JSON.stringify(text)}`);
  return value;
}

/** The elements of a document, with the lines that they begin in. */
function parseXml(text: string, file: string): XmlElement {
  const document: XmlElement = { name: '', line: 1, children: [], text: '' };
  const open = [document];
  const parser = new SaxesParser({ position: true });
  parser.on('error', ({ message }) => {
    throw new FormatError(`${file}:${parser.line}: not XML: ${message.replace(/^[\d:\s]*/, '')}`);
  });
  parser.on('opentag', ({ name }) => {
    const element = { name, line: parser.line, children: [], text: '' };
    open[open.length - 1].children.push(element);
    open.push(element);
  });
  parser.on('text', (part) => (open[open.length - 1].text += part));
  parser.on('closetag', () => void open.pop());
  parser.write(text).close();
  return document.children[0];
}
