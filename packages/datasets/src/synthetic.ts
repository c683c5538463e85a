import { ArgumentError, Random } from '@convkit/core';
import { fillOutlines } from './raster.js';
import type { Outline } from './raster.js';
import { cifarRecordBytes, cifarSide, CifarRecords } from './records.js';
import { shapeClasses, shapeOutlines } from './shapes.js';

const side = cifarSide;
const plane = side * side;

type Colour = readonly [red: number, green: number, blue: number];

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
  const backPaint = paint(random, back, 45, 20);
  const frontPaint = paint(random, front, 22, 10);
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

/** Any two hues; the shape is the brighter one, by enough to be seen through the texture. */
function contrastingColours(random: Random): [back: Colour, front: Colour] {
  const colour = (): Colour => [random.uniform(15, 240), random.uniform(15, 240), random.uniform(15, 240)];
  for (;;) {
    const back = colour();
    const front = colour();
    if (brightness(front) - brightness(back) > 45) return [back, front];
  }
}

function brightness([red, green, blue]: Colour): number {
  return 0.3 * red + 0.6 * green + 0.1 * blue;
}

/** A colour with a linear gradient of ±`slope` and a smooth texture of ±`texture`, both shared by the channels in random parts. */
function paint(
  random: Random,
  colour: Colour,
  slope: number,
  texture: number,
): (channel: number, x: number, y: number) => number {
  const [directionX, directionY] = randomDirection(random);
  const share = [random.uniform(-slope, slope), random.uniform(-slope, slope), random.uniform(-slope, slope)];
  const cells = 2 + random.int(4);
  const grid = Float32Array.from({ length: (cells + 1) * (cells + 1) }, () => random.uniform(-texture, texture));
  const step = cells / side;
  return (channel, x, y) => {
    const gradient = ((x - side / 2) * directionX + (y - side / 2) * directionY) / (side / 2);
    const gridX = x * step;
    const gridY = y * step;
    const column = Math.floor(gridX);
    const row = Math.floor(gridY);
    const fx = gridX - column;
    const fy = gridY - row;
    const at = row * (cells + 1) + column;
    const upper = grid[at] + fx * (grid[at + 1] - grid[at]);
    const lower = grid[at + cells + 1] + fx * (grid[at + cells + 2] - grid[at + cells + 1]);
    return colour[channel] + share[channel] * gradient + upper + fy * (lower - upper);
  };
}

/** cos and sin of a turn of up to 39° (tan 39° = 0.8) either way. */
function smallTurn(random: Random): [cos: number, sin: number] {
  const tangent = random.uniform(-0.8, 0.8);
  const cos = 1 / Math.sqrt(1 + tangent * tangent);
  return [cos, tangent * cos];
}

function randomDirection(random: Random): [x: number, y: number] {
  for (;;) {
    const x = random.uniform(-1, 1);
    const y = random.uniform(-1, 1);
    const square = x * x + y * y;
    if (square > 0.01 && square <= 1) {
      const length = Math.sqrt(square);
      return [x / length, y / length];
    }
  }
}

/** The sum of four uniform numbers, scaled to variance 1: close to normal, and without a logarithm. */
function smallNormal(random: Random): number {
  const bits = random.uint32();
  return ((bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510) / 147.8;
}
