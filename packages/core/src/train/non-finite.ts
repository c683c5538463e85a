import { type Tensor, keep, mul, scalar, sum, tensor_util, tidy } from '@tensorflow/tfjs-core';
import { ConvkitError } from '../errors.js';
import { observe } from '../hooks.js';
import type { Context, Module } from '../module.js';

/** A run met NaN or infinity. The weights are those of the step before. */
export class NonFiniteError extends ConvkitError {
  override readonly name = 'NonFiniteError';
  /** The step, 1-based, that was not taken. */
  readonly step: number;
  /** Where the first such value was met: `the images`, `the weight conv1.weight`, `the output of layer1.0.bn1`, … */
  readonly origin: string;

  constructor(step: number, what: string, origin: string) {
    super(
      `Step ${step}: ${what}; the first value that is not finite is in ${origin}. The weights are those of step ${step - 1}: ` +
        'go on from the last checkpoint with a lower learning rate, a longer warmup or clipNorm, or mend the data.',
    );
    this.step = step;
    this.origin = origin;
  }
}

/** 0 if every value is finite, else NaN; it cannot overflow as a sum of the values could. */
function probe(x: Tensor): Tensor {
  return keep(tidy(() => sum(mul(x, scalar(0, 'float32')))));
}

/**
 * Where the first NaN or infinity of a forward pass is: the images, a weight or buffer, or the output of the first module to
 * finish with one; undefined if all of these are finite. Changes running statistics: put them back afterwards.
 */
export async function findNonFinite(model: Module<unknown>, x: Tensor, ctx: Context): Promise<string | undefined> {
  const probes: [origin: string, probe: Tensor][] = [['the images', probe(x)]];
  for (const [name, state] of model.state()) {
    if (state.kind !== 'counter')
      probes.push([`the ${state.kind === 'buffer' ? 'buffer' : 'weight'} ${name}`, probe(state.value)]);
  }
  const leave = (name: string, output: unknown): void => {
    const found = tensor_util.getTensorsInContainer(output as Tensor);
    for (const part of found) probes.push([name === '' ? "the model's output" : `the output of ${name}`, probe(part)]);
  };
  try {
    observe(model.modules(), { leave }, () => tidy(() => void model.forward(x, ctx)));
    for (const [origin, value] of probes) if (!Number.isFinite((await value.data())[0])) return origin;
    return undefined;
  } finally {
    for (const [, value] of probes) value.dispose();
  }
}
