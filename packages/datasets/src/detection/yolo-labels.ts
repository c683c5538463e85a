import { FormatError } from '@convkit/core';
import type { GroundTruth } from '@convkit/core/detection';

/** An object as a line of YOLO's text labels has it, in shares of the image's width and height. */
export interface YoloLabel {
  readonly class: number;
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number];
  /** x, y, x, y, … */
  readonly polygon?: readonly number[];
  readonly keypoints?: readonly { readonly x: number; readonly y: number; readonly visibility: 0 | 1 | 2 }[];
}

/** What the lines of a data set have. */
export interface YoloLabelFormat {
  readonly numClasses: number;
  /** Of poses: number of keypoints, and numbers of each (x, y, or x, y, visibility) */
  readonly keypointShape?: readonly [count: number, dimensions: 2 | 3];
}

/** Shares may be this far outside of 0 … 1: rounding in the tools that wrote them. */
const slack = 0.01;

/**
 * Reads YOLO's text labels: a line for each object, `class cx cy w h`, or `class x1 y1 x2 y2 x3 y3 …` with the object's outline, or, with
 * a keypoint shape, `class cx cy w h` and the keypoints. All in shares of the image's width and height. Empty lines are passed over.
 *
 * @throws FormatError naming `file`, the line, and what is wrong with it.
 */
export function parseYoloLabels(text: string, file: string, format: YoloLabelFormat): YoloLabel[] {
  return text.split(/\r?\n/).flatMap((line, i) => (line.trim() === '' ? [] : [parseLine(line, `${file}:${i + 1}`, format)]));
}

function parseLine(line: string, place: string, { numClasses, keypointShape }: YoloLabelFormat): YoloLabel {
  const numbers = line.trim().split(/\s+/).map(Number);
  const bad = numbers.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new FormatError(`${place}: expected numbers, found ${JSON.stringify(line.trim().split(/\s+/)[bad])}`);
  const [c, ...values] = numbers;
  if (!Number.isInteger(c) || c < 0 || c >= numClasses)
    throw new FormatError(`${place}: expected a class of 0 … ${numClasses - 1}, found ${c}`);
  const extra = keypointShape ? keypointShape[0] * keypointShape[1] : 0;
  const outlined = keypointShape === undefined && values.length >= 6 && values.length % 2 === 0;
  if (values.length !== 4 + extra && !outlined) {
    const also = keypointShape
      ? ` and ${keypointShape[0]} keypoints of ${keypointShape[1]} numbers`
      : ', or three points or more';
    throw new FormatError(`${place}: expected a class, 4 numbers of the box${also}, found ${numbers.length} numbers`);
  }
  const isVisibility = (i: number): boolean => keypointShape?.[1] === 3 && i >= 4 && (i - 4) % 3 === 2;
  const outside = values.find((value, i) => !isVisibility(i) && (value < -slack || value > 1 + slack));
  if (outside !== undefined)
    throw new FormatError(
      `${place}: expected shares of the image in 0 … 1, found ${outside}; divide pixels by its width and height`,
    );
  if (outlined) {
    const [xs, ys] = [values.filter((_, i) => i % 2 === 0), values.filter((_, i) => i % 2 === 1)];
    return { class: c, box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], polygon: values };
  }
  const [cx, cy, width, height] = values;
  if (width < 0 || height < 0)
    throw new FormatError(`${place}: expected a width and height of 0 or more, found ${width} and ${height}`);
  const box = [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2] as const;
  return keypointShape ? { class: c, box, keypoints: readKeypoints(values.slice(4), keypointShape, place) } : { class: c, box };
}

function readKeypoints(values: readonly number[], [count, dimensions]: readonly [number, 2 | 3], place: string) {
  return Array.from({ length: count }, (_, k) => {
    // Without a visibility of its own, a point at 0, 0 is one that is not labelled.
    const [x, y, visibility = x === 0 && y === 0 ? 0 : 2] = values.slice(k * dimensions, (k + 1) * dimensions);
    if (visibility !== 0 && visibility !== 1 && visibility !== 2)
      throw new FormatError(`${place}: expected the visibility of keypoint ${k} to be 0, 1 or 2, found ${visibility}`);
    return { x, y, visibility } as const;
  });
}

/** The object in an image of this size, in its pixels. */
export function yoloObject({ class: c, box, polygon, keypoints }: YoloLabel, width: number, height: number): GroundTruth {
  return {
    class: c,
    box: [box[0] * width, box[1] * height, box[2] * width, box[3] * height],
    ...(polygon && { segmentation: [polygon.map((value, i) => value * (i % 2 === 0 ? width : height))] }),
    ...(keypoints && { keypoints: keypoints.map(({ x, y, visibility }) => ({ x: x * width, y: y * height, visibility })) }),
  };
}
