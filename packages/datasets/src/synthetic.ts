import { ArgumentError, Random } from '@convkit/core';
import { contrastingColours, paint, smallNormal, smallTurn } from './paint.js';
import { fillOutlines } from './raster.js';
import type { Outline } from './raster.js';
import { cifarRecordBytes, cifarSide, CifarRecords } from './records.js';
import { shapeClasses, shapeOutlines } from './shapes.js';

const side = cifarSide;
const plane = side * side;

/** Which images `syntheticShapes` draws. */
export interface SyntheticOptions {
  /** Number of images. Default: 2000 */
  size?: number;
  /** Default: 0 */
  seed?: number;
  /** Train and test images come from streams of their own. Default: 'train' */
  split?: 'train' | 'test';
}

/**
 * The embedded data set: ten classes of filled shapes, 32×32 RGB, in CIFAR-10's record format.
 *
 * Position, size, rotation, both colours, gradients, textures and the noise are random, so that no pixel and no colour tells the class;
 * only, a shape is always brighter than what is behind it. Image `i` is of class `i % 10` and depends on seed, split and `i` alone: the
 * same bytes on every machine.
 *
 * @throws ArgumentError when `size` is not a positive integer.
 */
export function syntheticShapes({ size = 2000, seed = 0, split = 'train' }: SyntheticOptions = {}): CifarRecords {
  if (!Number.isInteger(size) || size < 1)
    throw new ArgumentError(`synthetic: expected a size of at least 1 image, found ${size}`);
  const bytes = new Uint8Array(size * cifarRecordBytes);
  const stream = new Random(seed).child('synthetic').child(split);
  const coverage = new Float32Array(plane);
  for (let i = 0; i < size; i++) {
    const label = i % shapeClasses.length;
    const start = i * cifarRecordBytes;
    bytes[start] = label;
    drawShape(stream.child(i), shapeOutlines[shapeClasses[label]], coverage, bytes.subarray(start + 1, start + cifarRecordBytes));
  }
  return new CifarRecords(bytes, { name: `synthetic ${split}`, classes: shapeClasses });
}

/** Draws one shape into the three planes of `target`. */
function drawShape(random: Random, outlines: readonly Outline[], coverage: Float32Array, target: Uint8Array): void {
  fillOutlines(place(random, outlines), coverage, side);
  const [back, front] = contrastingColours(random);
  const backPaint = paint(random, back, 45, 20, side);
  const frontPaint = paint(random, front, 22, 10, side);
  const noise = random.uniform(4, 16);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const pixel = y * side + x;
        const inside = coverage[pixel];
        const behind = backPaint(channel, x, y);
        const value = behind + inside * (frontPaint(channel, x, y) - behind) + noise * smallNormal(random);
        target[channel * plane + pixel] = value < 0 ? 0 : value > 255 ? 255 : value + 0.5;
      }
    }
  }
}

/** Turns, scales and shifts the shape so that it stays inside the picture. */
function place(random: Random, outlines: readonly Outline[]): Outline[] {
  const [cos, sin] = smallTurn(random);
  const radius = random.uniform(8.5, 14);
  const room = side / 2 - radius;
  const centreX = side / 2 + random.uniform(-room, room);
  const centreY = side / 2 + random.uniform(-room, room);
  const stretch = random.uniform(0.88, 1);
  return outlines.map((outline) =>
    outline.map(([x, y]) => [centreX + radius * (x * stretch * cos - y * sin), centreY + radius * (x * stretch * sin + y * cos)]),
  );
}
