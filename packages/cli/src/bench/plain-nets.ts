import {
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  type Variable,
  add,
  avgPool,
  batchNorm,
  clipByValue,
  conv2d,
  depthwiseConv2d,
  matMul,
  maxPool,
  mean,
  moments,
  mul,
  pad,
  relu,
} from '@tensorflow/tfjs-core';
import { UsageError } from '../errors.js';

/** A weight by its name in the state dict, in tfjs' layout. */
export type Weights = (name: string) => Variable;

/** A net written with nothing but tfjs' own functions, as a user of plain tfjs writes it: images [N, H, W, 3] → logits. */
export type PlainNet = (x: Tensor4D, weights: Weights, training: boolean) => Tensor2D;

/** A net's layers, by the names of their weights. */
class Layers {
  readonly #weights: Weights;
  readonly #training: boolean;

  constructor(weights: Weights, training: boolean) {
    this.#weights = weights;
    this.#training = training;
  }

  conv(name: string, x: Tensor4D, stride = 1): Tensor4D {
    const filter = this.#weights(`${name}.weight`) as unknown as Tensor4D;
    return conv2d(x, filter, stride, (filter.shape[0] - 1) / 2);
  }

  depthwise(name: string, x: Tensor4D, stride: number): Tensor4D {
    return depthwiseConv2d(x, this.#weights(`${name}.weight`) as unknown as Tensor4D, stride, 1);
  }

  norm(name: string, x: Tensor4D): Tensor4D {
    const [scale, offset, runningMean, runningVariance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
      this.#weights(`${name}.${part}`),
    ) as unknown as (Variable & Tensor1D)[];
    if (!this.#training) return batchNorm(x, runningMean, runningVariance, offset, scale, 1e-5) as Tensor4D;
    const batch = moments(x, [0, 1, 2]);
    const values = x.size / x.shape[3];
    runningMean.assign(blend(runningMean, batch.mean as Tensor1D));
    runningVariance.assign(blend(runningVariance, mul(batch.variance as Tensor1D, values / (values - 1))));
    return batchNorm(x, batch.mean as Tensor1D, batch.variance as Tensor1D, offset, scale, 1e-5) as Tensor4D;
  }

  convNorm(conv: string, norm: string, x: Tensor4D, stride = 1): Tensor4D {
    return this.norm(norm, this.conv(conv, x, stride));
  }

  /** The mean of each channel, and a linear layer. */
  head(name: string, x: Tensor4D): Tensor2D {
    const features = mean<Tensor2D>(x, [1, 2]);
    const weight = this.#weights(`${name}.weight`) as unknown as Tensor2D;
    return add(matMul(features, weight), this.#weights(`${name}.bias`));
  }
}

function blend(running: Tensor1D, batch: Tensor1D): Tensor1D {
  return add<Tensor1D>(mul(running, 0.9), mul(batch, 0.1));
}

/** ResNet-20 for CIFAR with shortcuts of option A. */
const resnet20: PlainNet = (images, weights, training) => {
  const net = new Layers(weights, training);
  let x = relu(net.convNorm('conv1', 'bn1', images));
  for (const stage of [1, 2, 3]) {
    for (const block of [0, 1, 2]) {
      const name = `layer${stage}.${block}`;
      const halves = stage > 1 && block === 0;
      const y = relu(net.convNorm(`${name}.conv1`, `${name}.bn1`, x, halves ? 2 : 1));
      const half = x.shape[3] / 2;
      const zeros: [number, number][] = [[0, 0], [0, 0], [0, 0], [half, half]]; // prettier-ignore
      const shortcut = halves ? pad<Tensor4D>(avgPool(x, 1, 2, 'valid'), zeros) : x;
      x = relu(add<Tensor4D>(net.convNorm(`${name}.conv2`, `${name}.bn2`, y), shortcut));
    }
  }
  return net.head('linear', x);
};

const resnet50: PlainNet = (images, weights, training) => {
  const net = new Layers(weights, training);
  let x = maxPool(relu(net.convNorm('conv1', 'bn1', images, 2)), 3, 2, 1);
  for (const [stage, blocks] of [3, 4, 6, 3].entries()) {
    for (let block = 0; block < blocks; block++) {
      const name = `layer${stage + 1}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      let y = relu(net.convNorm(`${name}.conv1`, `${name}.bn1`, x));
      y = relu(net.convNorm(`${name}.conv2`, `${name}.bn2`, y, stride));
      y = net.convNorm(`${name}.conv3`, `${name}.bn3`, y);
      const shortcut = block === 0 ? net.convNorm(`${name}.downsample.0`, `${name}.downsample.1`, x, stride) : x;
      x = relu(add<Tensor4D>(y, shortcut));
    }
  }
  return net.head('fc', x);
};

/** Blocks of MobileNetV2: expansion, how many, stride of the first. */
const inverted = [[1, 1, 1], [6, 2, 2], [6, 3, 2], [6, 4, 2], [6, 3, 1], [6, 3, 2], [6, 1, 1]] as const; // prettier-ignore

const mobilenetV2: PlainNet = (images, weights, training) => {
  const net = new Layers(weights, training);
  const relu6 = (x: Tensor4D): Tensor4D => clipByValue(x, 0, 6);
  let x = relu6(net.convNorm('features.0.0', 'features.0.1', images, 2));
  let at = 1;
  for (const [expansion, blocks, firstStride] of inverted) {
    for (let block = 0; block < blocks; block++) {
      const name = `features.${at++}.conv`;
      const depth = expansion === 1 ? 0 : 1;
      const stride = block === 0 ? firstStride : 1;
      let y = x;
      if (depth === 1) y = relu6(net.convNorm(`${name}.0.0`, `${name}.0.1`, y));
      y = relu6(net.norm(`${name}.${depth}.1`, net.depthwise(`${name}.${depth}.0`, y, stride)));
      y = net.convNorm(`${name}.${depth + 1}`, `${name}.${depth + 2}`, y);
      x = block === 0 ? y : add(x, y);
    }
  }
  x = relu6(net.convNorm('features.18.0', 'features.18.1', x));
  return net.head('classifier.1', x);
};

const plainNets: Readonly<Record<string, PlainNet>> = { resnet20, resnet50, mobilenet_v2: mobilenetV2 };

/** Throws UsageError for a net that is not written in plain tfjs here. */
export function plainNet(model: string): PlainNet {
  const net = plainNets[model];
  if (!net) throw new UsageError(`only ${Object.keys(plainNets).join(', ')} are written in plain tfjs here`);
  return net;
}
