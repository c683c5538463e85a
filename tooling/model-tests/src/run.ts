import { type Module, Random, inference } from '@convkit/core';
import { crossEntropy } from '@convkit/core/train';
import { type Scalar, type Tensor, type Variable, clone, keep, slice, tensor4d, tidy, variableGrads } from '@tensorflow/tfjs-core';
import { fillInput } from './fill.js';
import { type TrainCase, l2 } from './golden.js';

export interface Output {
  values: Float32Array;
  shape: number[];
}

const inputTensor = ([n, c, h, w]: readonly number[]) => tensor4d(fillInput([n, c, h, w]), [n, h, w, c]);

/** The model's output in evaluation mode for the golden input of this NCHW shape; `take` keeps only some images of the batch. */
export async function evaluateFilled(model: Module, nchw: readonly number[], take?: [begin: number, count: number]): Promise<Output> {
  const output = tidy(() => {
    const x = inputTensor(nchw);
    return model.forward(take ? slice(x, [take[0], 0, 0, 0], [take[1], -1, -1, -1]) : x, inference);
  });
  return read(output);
}

export interface TrainingStep {
  loss: number;
  logits: Output;
  /** L2 norm of the gradient by parameter name; a parameter that the loss does not reach is absent. */
  gradients: Map<string, number>;
}

/** Loss, logits and gradients of one step in training mode on the golden input. */
export async function trainFilled(model: Module, { input_shape, labels }: Pick<TrainCase, 'input_shape' | 'labels'>): Promise<TrainingStep> {
  const parameters = [...model.parameters()];
  const loss = crossEntropy();
  let logits!: Tensor;
  const step = tidy(() => {
    const x = inputTensor(input_shape);
    const context = { training: true, random: new Random(0) };
    const result = variableGrads(
      () => {
        const output = model.forward(x, context);
        logits = keep(clone(output)); // the tape's scope would free it
        return loss(output, Int32Array.from(labels)) as Scalar;
      },
      parameters.map(([, parameter]) => parameter.value),
    );
    return { ...result, logits };
  });
  const names = new Map(parameters.map(([name, parameter]) => [(parameter.value as Variable).name, name]));
  const gradients = new Map<string, number>();
  for (const [variableName, gradient] of Object.entries(step.grads)) {
    gradients.set(names.get(variableName)!, l2((await read(gradient)).values));
  }
  const [value] = (await read(step.value)).values;
  return { loss: value, logits: await read(step.logits), gradients };
}

/** Values and shape; frees the tensor. */
async function read(tensor: Tensor): Promise<Output> {
  try {
    return { values: (await tensor.data()) as Float32Array, shape: tensor.shape.slice() };
  } finally {
    tensor.dispose();
  }
}
