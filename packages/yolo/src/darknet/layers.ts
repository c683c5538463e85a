import { type Context, FormatError, MaxPool2d } from '@convkit/core';
import { affine, concat, cropMiddle, mul, reorg, sliceChannels, spatialMean, upsample } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { activations } from './activations.js';
import { type LayerConfig, type Program, headChannels } from './config.js';
import { supportedSections } from './parse-config.js';
import { type MapShape, count, flat, size, windows } from './shapes.js';
import { shortcut } from './shortcut.js';
import { type WeightedLayer, connected, convolutional, local } from './weighted-layers.js';

/** A layer of a net: what it reads (−1 is the net's input), what it gives, its weights if it has some. */
export interface Layer {
  readonly config: LayerConfig;
  readonly inputs: readonly number[];
  readonly shape: MapShape;
  readonly weighted?: WeightedLayer;
  run(inputs: readonly Tensor[], ctx: Context): Tensor;
}

type Built = Omit<Layer, 'config' | 'inputs'>;

/** Shapes of layers by their numbers, and at −1 the input's. */
export type Shapes = Readonly<Record<number, MapShape>>;

/** Builds layer number `index` on those before. Throws FormatError where they do not fit together. */
export function buildLayer(config: LayerConfig, index: number, shapes: Shapes, program: Program): Layer {
  const inputs = inputsOf(config, index);
  const given = inputs.map((input) => shapes[input]);
  const built = build(config, index, given, program);
  const { height, width } = built.shape;
  if (height < 1 || width < 1) {
    throw new FormatError(
      `line ${config.line}: layer ${index} [${config.kind}] has nothing left of its input of ${size(given[0])}.`,
    );
  }
  return { config, inputs, ...built };
}

function inputsOf(config: LayerConfig, index: number): number[] {
  switch (config.kind) {
    case 'route':
      return [...config.layers];
    case 'shortcut':
      return [index - 1, ...config.from];
    case 'scale_channels':
    case 'sam':
      return [index - 1, config.from];
    default:
      return [index - 1];
  }
}

function build(config: LayerConfig, index: number, given: readonly MapShape[], program: Program): Built {
  const [input, from] = given;
  const fail = (problem: string): never => {
    throw new FormatError(`line ${config.line}: layer ${index} [${config.kind}] ${problem}.`);
  };
  switch (config.kind) {
    case 'convolutional': {
      const { filters, groups, dilation } = config;
      if (input.channels % groups !== 0 || filters % groups !== 0) {
        fail(`has groups=${groups}, which must divide its ${input.channels} input channels and filters=${filters}`);
      }
      const span = (config.size - 1) * dilation + 1;
      const shape = windows(input, span, config.stride, 2 * config.padding * dilation, filters);
      return weighted(convolutional(index, input.channels, config, program), shape);
    }
    case 'local': {
      const { filters, size, stride, padding } = config;
      const shape = { ...windows(input, size, [stride, stride], 2 * padding, filters), stride: 0 };
      return weighted(local(index, [input.height, input.width, input.channels], config), shape);
    }
    case 'connected':
      return weighted(connected(index, count(input), config, program), flat(config.output));
    case 'maxpool': {
      const { size, stride, padding } = config;
      const before = Math.floor(padding / 2);
      const sides = [before, padding - before] as const;
      if (padding > size) fail(`has padding=${padding}; expected at most size=${size}`);
      const pool = new MaxPool2d(size, { stride, padding: [sides, sides] });
      return { shape: windows(input, size, stride, padding, input.channels), run: ([x]) => pool.forward(x) };
    }
    case 'avgpool':
      return { shape: flat(input.channels), run: ([x]) => spatialMean(x) };
    case 'upsample': {
      const { stride, scale } = config;
      const shape = { ...input, height: input.height * stride, width: input.width * stride, stride: input.stride / stride };
      return { shape, run: ([x]) => (scale === 1 ? upsample(x, stride) : mul(upsample(x, stride), scale)) };
    }
    case 'route': {
      const { groups, groupId } = config;
      const other = given.find(({ height, width }) => height !== input.height || width !== input.width);
      if (other) fail(`joins maps of ${size(input)} and ${size(other)}`);
      if (given.some(({ channels }) => channels % groups !== 0)) fail(`splits channels that groups=${groups} does not divide`);
      const channels = given.reduce((sum, shape) => sum + shape.channels / groups, 0);
      const part = (x: Tensor, i: number): Tensor => {
        const each = given[i].channels / groups;
        return groups === 1 ? x : sliceChannels(x, groupId * each, each);
      };
      return { shape: { ...input, channels }, run: (xs) => (xs.length === 1 ? part(xs[0], 0) : concat(xs.map(part))) };
    }
    case 'shortcut':
      return { shape: input, run: shortcut(config, given, fail) };
    case 'reorg': {
      const { stride } = config;
      if (input.height % stride !== 0 || input.width % stride !== 0 || input.channels % stride ** 2 !== 0) {
        fail(`has stride=${stride}, which does not divide its input of ${size(input)}`);
      }
      const [height, width, channels] = [input.height / stride, input.width / stride, input.channels * stride ** 2];
      return { shape: { height, width, channels, stride: input.stride * stride }, run: ([x]) => reorg(x, stride) };
    }
    case 'scale_channels':
      if (input.channels !== from.channels || input.height * input.width !== 1) {
        fail(`needs ${from.channels} values to scale a map of ${size(from)}, the layer before gives ${size(input)}`);
      }
      return { shape: from, run: ([scales, x]) => activations[config.activation](mul(x, scales)) };
    case 'sam':
      if (size(input) !== size(from)) fail(`multiplies maps of ${size(input)} and ${size(from)}`);
      return { shape: input, run: ([a, b]) => activations[config.activation](mul(a, b)) };
    case 'crop': {
      const { height, width, adjust } = config;
      if (height > input.height || width > input.width) fail(`cuts ${height}×${width} from a map of ${size(input)}`);
      const cut = (x: Tensor): Tensor => cropMiddle(x, [height, width]);
      return { shape: { ...input, height, width }, run: ([x]) => (adjust ? affine(cut(x), [2], [-1]) : cut(x)) };
    }
    case 'softmax': {
      const { temperature } = config;
      return { shape: input, run: ([x]) => (temperature === 1 ? x : mul(x, 1 / temperature)) };
    }
    case 'dropout':
    case 'cost':
      return { shape: input, run: ([x]) => x };
    case 'yolo':
    case 'region':
    case 'detection': {
      const expected = headChannels(config);
      const found = config.kind === 'detection' ? count(input) : input.channels;
      if (found !== expected) {
        const boxes = { yolo: () => 'anchors in mask=', region: () => 'anchors', detection: () => 'cells and boxes' }[
          config.kind
        ]();
        fail(`reads ${expected} channels for classes=${config.classes} and its ${boxes}, the layer before gives ${found}`);
      }
      return { shape: input, run: ([x]) => x };
    }
    case 'unsupported':
      throw new FormatError(`line ${config.line}: ${config.what} is not supported; supported sections are ${supportedSections}.`);
  }
}

const weighted = (layer: WeightedLayer, shape: MapShape): Built => ({
  shape,
  weighted: layer,
  run: ([x], ctx) => layer.forward(x, ctx),
});
