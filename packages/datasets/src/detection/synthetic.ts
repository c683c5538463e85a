import { ArgumentError, type Image, Random } from '@convkit/core';
import type { Box, GroundTruth } from '@convkit/core/detection';
import { contrastingColours, paint, smallNormal, smallTurn } from '../paint.js';
import { type Outline, fillOutlines } from '../raster.js';
import { type ShapeClass, shapeOutlines } from '../shapes.js';
import type { DetectionDataset, DetectionSample } from './dataset.js';

/** Which images `syntheticDetection` draws. */
export interface SyntheticDetectionOptions {
  /** Number of images. Default: 400 */
  size?: number;
  /** Default: 0 */
  seed?: number;
  /** Train and test images come from streams of their own. Default: 'train' */
  split?: 'train' | 'test';
  /** Side of the images in pixels. Default: 128 */
  side?: number;
  /** Default: circle, triangle, square */
  classes?: readonly ShapeClass[];
}

/** Objects of an image: 1 to this many. */
const MOST_OBJECTS = 5;

/**
 * The embedded detection data set: one to five shapes of a seventh to a half of the image's side, on a textured background.
 * Place, size, turn, colours and noise are random; boxes of different objects hardly overlap. Each object has its box and its
 * outline. Image `i` depends on seed, split, side and `i` alone: the same bytes on every machine.
 *
 * Throws ArgumentError when `size` or `side` is out of range.
 */
export function syntheticDetection(options: SyntheticDetectionOptions = {}): DetectionDataset {
  const { size = 400, seed = 0, split = 'train', side = 128, classes = ['circle', 'triangle', 'square'] } = options;
  if (!Number.isInteger(size) || size < 1)
    throw new ArgumentError(`syntheticDetection: expected a size of at least 1 image, found ${size}`);
  if (!Number.isInteger(side) || side < 32)
    throw new ArgumentError(`syntheticDetection: expected a side of at least 32 pixels, found ${side}`);
  const stream = new Random(seed).child('synthetic detection').child(split);
  const drawn = new Map<number, DetectionSample>();
  const draw = (i: number): DetectionSample => ({
    id: i,
    fileName: `${split} ${i}`,
    ...drawScene(stream.child(i), side, classes),
  });
  return {
    name: `synthetic ${split}`,
    length: size,
    classes,
    ids: Array.from({ length: size }, (_, i) => i),
    size: () => ({ width: side, height: side }),
    load: (i) => {
      const sample = drawn.get(i) ?? draw(i);
      drawn.set(i, sample);
      return Promise.resolve(sample);
    },
  };
}

function drawScene(
  random: Random,
  side: number,
  classes: readonly ShapeClass[],
): { image: Image; objects: readonly GroundTruth[] } {
  const [dark] = contrastingColours(random);
  const values = new Float32Array(side * side * 3);
  const background = paint(random, dark, 45, 20, side);
  for (let y = 0, at = 0; y < side; y++)
    for (let x = 0; x < side; x++) for (let channel = 0; channel < 3; channel++) values[at++] = background(channel, x, y);
  const objects: GroundTruth[] = [];
  const coverage = new Float32Array(side * side);
  for (let count = 1 + random.int(MOST_OBJECTS); count > 0; count--) {
    const label = random.int(classes.length);
    const outlines = findRoom(random, shapeOutlines[classes[label]], side, objects);
    if (!outlines) continue;
    fillOutlines(outlines, coverage, side);
    const box = boxOf(outlines);
    cover(random, values, coverage, side, box);
    objects.push({ class: label, box, segmentation: [outlines[0].flat()] });
  }
  const noise = random.uniform(4, 16);
  const pixels = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] + noise * smallNormal(random);
    pixels[i] = value < 0 ? 0 : value > 255 ? 255 : value + 0.5;
  }
  return { image: { pixels, width: side, height: side }, objects };
}

/** A place inside of the image where the shape does not cover others; undefined when 20 draws found none. */
function findRoom(
  random: Random,
  shape: readonly Outline[],
  side: number,
  others: readonly GroundTruth[],
): readonly Outline[] | undefined {
  for (let attempt = 0; attempt < 20; attempt++) {
    const radius = random.uniform(0.08, 0.24) * side;
    const [cos, sin] = smallTurn(random);
    const [centreX, centreY] = [random.uniform(radius, side - radius), random.uniform(radius, side - radius)];
    const outlines = shape.map((outline) =>
      outline.map(([x, y]) => [centreX + radius * (x * cos - y * sin), centreY + radius * (x * sin + y * cos)] as const),
    );
    const [x1, y1, x2, y2] = boxOf(outlines);
    const isFree = others.every(({ box }) => Math.max(box[0] - x2, x1 - box[2], box[1] - y2, y1 - box[3]) > -0.02 * side);
    if (isFree && Math.min(x1, y1) >= 0 && Math.max(x2, y2) <= side) return outlines;
  }
  return undefined;
}

function boxOf(outlines: readonly Outline[]): Box {
  const points = outlines.flat();
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** Paints what is covered in a colour that stands out from what is behind it at the box's centre. */
function cover(random: Random, values: Float32Array, coverage: Float32Array, side: number, box: Box): void {
  const behind = (Math.floor((box[1] + box[3]) / 2) * side + Math.floor((box[0] + box[2]) / 2)) * 3;
  const brightness = 0.3 * values[behind] + 0.6 * values[behind + 1] + 0.1 * values[behind + 2];
  const shade = brightness < 128 ? random.uniform(brightness + 60, 250) : random.uniform(5, brightness - 60);
  const colour = [0, 1, 2].map(() => Math.min(255, Math.max(0, shade + random.uniform(-40, 40))));
  const front = paint(random, colour as [number, number, number], 15, 8, side);
  for (let pixel = 0; pixel < coverage.length; pixel++) {
    const inside = coverage[pixel];
    if (inside === 0) continue;
    const [x, y] = [pixel % side, Math.floor(pixel / side)];
    for (let channel = 0; channel < 3; channel++) {
      const at = pixel * 3 + channel;
      values[at] += inside * (front(channel, x, y) - values[at]);
    }
  }
}
