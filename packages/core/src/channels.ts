/**
 * The multiple of `divisor` nearest to `channels`, at least `divisor`, and at most a tenth below `channels`: how the MobileNet
 * and EfficientNet families round scaled widths. Halves round up.
 *
 * `makeDivisible(33)` is 32, `makeDivisible(36)` is 40, `makeDivisible(11)` is 16, since 8 would be a fourth less.
 */
export function makeDivisible(channels: number, divisor = 8): number {
  const nearest = Math.max(divisor, Math.floor((channels + divisor / 2) / divisor) * divisor);
  return nearest < 0.9 * channels ? nearest + divisor : nearest;
}
