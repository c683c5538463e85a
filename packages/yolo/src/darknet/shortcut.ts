import { add, padChannels, sliceChannels, subsample } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { activations } from './activations.js';
import type { ShortcutConfig } from './config.js';
import { type MapShape, size } from './shapes.js';

/** Sums maps. As in Darknet a larger map counts with every n-th pixel, and channels that one of them lacks are zeros. */
export function shortcut(
  config: ShortcutConfig,
  [input, ...others]: readonly MapShape[],
  fail: (problem: string) => never,
): (inputs: readonly Tensor[]) => Tensor {
  const steps = others.map((from) => {
    const step = from.width / input.width;
    if (step >= 1 && Number.isInteger(step) && from.height / input.height === step) return step;
    return fail(`adds a map of ${size(from)} to one of ${size(input)}`);
  });
  const fit = (x: Tensor, i: number): Tensor => {
    const [{ channels }, step] = [others[i], steps[i]];
    const sampled = step === 1 ? x : subsample(x, step);
    if (channels === input.channels) return sampled;
    if (channels > input.channels) return sliceChannels(sampled, 0, input.channels);
    return padChannels(sampled, 0, input.channels - channels);
  };
  return ([x, ...from]) => activations[config.activation](from.map(fit).reduce((sum, other) => add(sum, other), x));
}
