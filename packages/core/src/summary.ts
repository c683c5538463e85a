import { type Tensor, memory, tidy, zeros } from '@tensorflow/tfjs-core';
import { observe } from './hooks.js';
import { LocalConv2d } from './layers/local-conv2d.js';
import { type Module, type Parameter, inference } from './module.js';

export interface LayerSummary {
  /** Path in the model, `layer1.0.conv1`. */
  name: string;
  /** Class of the layer, `Conv2d`. */
  type: string;
  /** [N, H, W, C] or [N, features] of one input. */
  output: number[];
  parameters: number;
  /** Multiply-adds of one input; convolutions and linear layers count, as in the published figures. */
  macs: number;
}

export interface ModelSummary {
  /** Height and width. */
  input: [number, number];
  layers: LayerSummary[];
  parameters: number;
  macs: number;
  /** Bytes of the weights in float32. */
  weightBytes: number;
  /** Bytes of all layer outputs of one input in float32: what training keeps per sample, about. */
  activationBytes: number;
  /** Most bytes of tensors that live at once while one input passes in evaluation, besides the weights. */
  peakBytes: number;
}

/** Runs one empty input of [height, width] through the model, and lists what each layer gives and costs. */
export function summarize(model: Module<unknown>, input: readonly [number, number]): ModelSummary {
  const layers: LayerSummary[] = [];
  const leaves = new Map(
    [...model.modules()].filter(([, module]) => ![...module.modules()].some(([, below]) => below !== module)),
  );
  const restore = borrowWeights(model);
  const before = memory().numBytes;
  let peakBytes = 0;
  try {
    const leave = (name: string, output: unknown, x: Tensor) => {
      peakBytes = Math.max(peakBytes, memory().numBytes - before);
      layers.push(describe(name, leaves.get(name)!, output as Tensor, x));
    };
    observe(leaves, { leave }, () => tidy(() => void model.forward(zeros([1, ...input, 3]), inference)));
  } finally {
    restore();
  }
  const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
  const parameters = sum([...model.parameters()].map(([, parameter]) => parameter.size));
  return {
    input: [...input],
    layers,
    parameters,
    macs: sum(layers.map((layer) => layer.macs)),
    weightBytes: 4 * parameters,
    activationBytes: 4 * sum(layers.map((layer) => layer.output.reduce((a, b) => a * b, 1))),
    peakBytes,
  };
}

function describe(name: string, layer: Module<unknown>, y: Tensor, x: Tensor): LayerSummary {
  const parameters = [...layer.parameters()].map(([, parameter]) => parameter);
  return {
    name,
    type: layer.constructor.name,
    output: y.shape.slice(),
    parameters: parameters.reduce((total, parameter) => total + parameter.size, 0),
    // a filter of its own for each place is used there alone
    macs:
      layer instanceof LocalConv2d
        ? layer.weight.size
        : parameters.reduce((total, parameter) => total + parameter.size * uses(parameter, y.shape, x.shape), 0),
  };
}

/** How often each weight is multiplied: at every output position of a convolution, at every input position of a transposed one … */
function uses({ layout }: Parameter, [, height, width]: readonly number[], [, rows, columns]: readonly number[]): number {
  return { conv: height * width, convTranspose: rows * columns, linear: 1, plain: 0 }[layout];
}

/** Gives a model without weights zeros for the time of the trace; returns what takes them away again. */
function borrowWeights(model: Module<unknown>): () => void {
  const borrowed = [...model.state()].flatMap(([, state]) => (state.kind !== 'counter' && !state.initialized ? [state] : []));
  for (const state of borrowed) state.set(new Float32Array(state.size));
  return () => borrowed.forEach((state) => state.dispose());
}
