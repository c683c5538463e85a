import './gradients.js';
import {
  type Scalar,
  type Tensor,
  type Variable,
  add,
  engine,
  keep,
  mul,
  tensor_util,
  tidy,
  variableGrads,
} from '@tensorflow/tfjs-core';
import { ArgumentError } from '../errors.js';
import { trainableParameters } from '../freeze.js';
import type { Context, Module } from '../module.js';
import { dropTape } from '../ops/tape.js';
import type { Loss } from './losses.js';

/** One forward and backward pass; the caller owns its tensors until `dispose`. */
export interface GradientStep<Output> {
  readonly loss: Scalar;
  readonly output: Output;
  /** d loss / d parameter by name in the state dict, in tfjs layout. A parameter that is frozen, or that the loss does not depend on, is absent. */
  readonly gradients: ReadonlyMap<string, Tensor>;
  readonly dispose: () => void;
}

/**
 * The loss of a model on a batch, with its auxiliary heads' share, and the gradients. Whatever the model or the loss throws
 * is passed on, and no tensor of the attempt stays: tfjs itself keeps what it saved for the backward pass when the forward
 * pass throws.
 */
export function gradientStep<Output, Labels>(
  model: Module<Output>,
  x: Tensor,
  labels: Labels,
  loss: Loss<Output, Labels>,
  ctx: Context,
): GradientStep<Output> {
  const parameters = trainableParameters(model).map(([name, parameter]): [string, Variable] => [name, parameter.value]);
  if (parameters.length === 0) throw new ArgumentError('Every parameter is frozen: unfreeze some to train.');
  const nested = engine().state.gradientDepth > 0;
  const owned: Tensor[] = [];
  let output: Output | undefined;
  try {
    const { value, grads } = tidy(() =>
      variableGrads(
        () => {
          const heads: [logits: Tensor, weight: number][] = [];
          output = model.forward(x, { ...ctx, auxiliary: (logits, weight) => void heads.push([logits, weight]) });
          for (const part of tensorsIn(output)) owned.push(keep(part));
          // an auxiliary head gives what the net gives, so its loss is the net's
          const losses = heads.map(([logits, weight]) => mul<Scalar>(loss(logits as Output, labels), weight));
          return losses.reduce((total, next) => add(total, next), loss(output, labels));
        },
        parameters.map(([, variable]) => variable),
      ),
    );
    const gradients = parameters
      .map(([name, variable]): [string, Tensor | undefined] => [name, grads[variable.name]])
      .filter((entry): entry is [string, Tensor] => entry[1] !== undefined);
    owned.push(value, ...gradients.map(([, gradient]) => gradient));
    return { loss: value, output: output as Output, gradients: new Map(gradients), dispose: () => disposeAll(owned) };
  } catch (error) {
    disposeAll(owned);
    if (!nested) dropTape();
    throw error;
  }
}

const tensorsIn = (output: unknown): Tensor[] => tensor_util.getTensorsInContainer(output as Tensor);

function disposeAll(tensors: readonly Tensor[]): void {
  for (const tensor of tensors) tensor.dispose();
}
