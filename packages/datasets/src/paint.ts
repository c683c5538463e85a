import type { Random } from '@convkit/core';

type Colour = readonly [red: number, green: number, blue: number];

/** Any two hues; the shape is the brighter one, by enough to be seen through the texture. */
export function contrastingColours(random: Random): [back: Colour, front: Colour] {
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

/** For an image of side × side pixels: a colour with a linear gradient of ±`slope` and a smooth texture of ±`texture`, both shared by the channels in random parts. */
export function paint(
  random: Random,
  colour: Colour,
  slope: number,
  texture: number,
  side: number,
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
export function smallTurn(random: Random): [cos: number, sin: number] {
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
export function smallNormal(random: Random): number {
  const bits = random.uint32();
  return ((bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510) / 147.8;
}
