import { type Module, Random, inference } from '@convkit/core';
import { crossEntropy, gradientStep } from '@convkit/core/train';
import { type Tensor, slice, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { fillInput } from './fill.js';
import { type TrainCase, l2 } from './golden.js';

export interface Output {
  values: Float32Array;
  shape: number[];
}

interface InputOptions {
  /** Does the input lie in 0 … 1, and not in −1 … 1? */
  unit?: boolean;
}

const inputTensor = ([n, c, h, w]: readonly number[], options: InputOptions) =>
  tensor4d(fillInput([n, c, h, w], options), [n, h, w, c]);

/** The model's output in evaluation mode for the golden input of this NCHW shape; `take` keeps only some images of the batch. */
export async function evaluateFilled(
  model: Module,
  nchw: readonly number[],
  { take, unit = false }: InputOptions & { take?: [begin: number, count: number] } = {},
): Promise<Output> {
  const output = tidy(() => {
    const x = inputTensor(nchw, { unit });
    return model.forward(take ? slice(x, [take[0], 0, 0, 0], [take[1], -1, -1, -1]) : x, inference);
  });
  try {
    return await read(output);
  } finally {
    output.dispose();
  }
}

export interface TrainingStep {
  loss: number;
  logits: Output;
  /** L2 norm of the gradient by parameter name; a parameter that the loss does not reach is absent. */
  gradients: Map<string, number>;
}

/** Loss, logits and gradients of one step in training mode on the golden input. */
export async function trainFilled(
  model: Module,
  { input_shape, labels }: Pick<TrainCase, 'input_shape' | 'labels'>,
  { unit = false }: InputOptions = {},
): Promise<TrainingStep> {
  const x = inputTensor(input_shape, { unit });
  const step = gradientStep(model, x, Int32Array.from(labels), crossEntropy(), { training: true, random: new Random(0) });
  try {
    const [loss] = await step.loss.data();
    const gradients = new Map<string, number>();
    for (const [name, gradient] of step.gradients) gradients.set(name, l2(await gradient.data()));
    return { loss, logits: await read(step.output), gradients };
  } finally {
    step.dispose();
    x.dispose();
  }
}

/** Values and shape. */
async function read(tensor: Tensor): Promise<Output> {
  return { values: (await tensor.data()) as Float32Array, shape: tensor.shape.slice() };
}
