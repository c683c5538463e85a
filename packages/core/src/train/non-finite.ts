import { type Tensor, keep, mul, scalar, sum, tensor_util, tidy } from '@tensorflow/tfjs-core';
import { ConvkitError } from '../errors.js';
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
  const unhook = hookForward(model, (name, output) => {
    const found = tensor_util.getTensorsInContainer(output as Tensor);
    for (const part of found) probes.push([name === '' ? "the model's output" : `the output of ${name}`, probe(part)]);
  });
  try {
    tidy(() => void model.forward(x, ctx));
    for (const [origin, value] of probes) if (!Number.isFinite((await value.data())[0])) return origin;
    return undefined;
  } finally {
    unhook();
    for (const [, value] of probes) value.dispose();
  }
}

/** Tells `seen` of the output of every module as it finishes, until the returned function is called. */
function hookForward(model: Module<unknown>, seen: (name: string, output: unknown) => void): () => void {
  const hooked = [...model.modules()].map(([name, module]) => ({
    name,
    module,
    own: Object.getOwnPropertyDescriptor(module, 'forward'),
  }));
  for (const { name, module } of hooked) {
    const forward = module.forward.bind(module);
    module.forward = (x, ctx) => {
      const output = forward(x, ctx);
      seen(name, output);
      return output;
    };
  }
  return () => {
    for (const { module, own } of hooked) {
      if (own) Object.defineProperty(module, 'forward', own);
      else Reflect.deleteProperty(module, 'forward');
    }
  };
}
