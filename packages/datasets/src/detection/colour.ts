import type { Image, Random } from '@convkit/core';

/**
 * Changes hue, saturation and value of an image by factors drawn from 1 ± gain, in place. With the value v = max(r, g, b) and the
 * grey part v − min(r, g, b), saturation and value are clipped to their range.
 */
export function jitterColours(
  random: Random,
  { pixels }: Image,
  [hue, saturation, value]: readonly [number, number, number],
): void {
  const [turn, saturate, brighten] = [hue, saturation, value].map((gain) => 1 + random.uniform(-gain, gain));
  if (hue === 0 && saturation === 0 && value === 0) return;
  for (let i = 0; i < pixels.length; i += 3) {
    const [r, g, b] = [pixels[i], pixels[i + 1], pixels[i + 2]];
    const most = Math.max(r, g, b);
    const range = most - Math.min(r, g, b);
    const v = Math.min(255, most * brighten);
    const chroma = most === 0 ? 0 : Math.min(1, (range / most) * saturate) * v;
    let angle = 0; // in sixths of a turn
    if (range > 0) {
      if (most === r) angle = (g - b) / range + 6;
      else if (most === g) angle = (b - r) / range + 2;
      else angle = (r - g) / range + 4;
    }
    angle = ((angle % 6) * turn) % 6;
    for (let channel = 0; channel < 3; channel++) {
      const k = (5 - 2 * channel + angle) % 6; // red 5, green 3, blue 1
      pixels[i + channel] = v - chroma * Math.max(0, Math.min(k, 4 - k, 1)) + 0.5;
    }
  }
}

/** Mixes two images of one size: r · a + (1 − r) · b. */
export function blend(a: Image, b: Image, r: number): Image {
  return { ...a, pixels: a.pixels.map((value, i) => value * r + b.pixels[i] * (1 - r) + 0.5) };
}

/** A number from Beta(32, 32): the middle of 63 uniform ones. */
export function drawBlend(random: Random): number {
  return Array.from({ length: 63 }, () => random.uniform()).sort((x, y) => x - y)[31];
}
