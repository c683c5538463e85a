import { type Tensor, clone, mul, sub, tensor, tidy, variableGrads } from '@tensorflow/tfjs-core';
import '../../train/gradients.js';
import { add, globalAvgPool, padChannels, relu, subsample } from '../../functional.js';
import { kaimingNormal } from '../../init.js';
import { BatchNorm2d } from '../../layers/batch-norm.js';
import { Conv2d } from '../../layers/conv2d.js';
import { Linear } from '../../layers/linear.js';
import { type Context, Module, Sequential, pipe } from '../../module.js';
import { Random } from '../../random.js';
import { crossEntropy } from '../../train/losses.js';

/** A complete CIFAR ResNet-20 training step, to measure and to compare backends with: forward, backward, SGD with momentum. */

class Block extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly #missing: number;
  readonly #stride: number;

  constructor(cin: number, cout: number, stride: number) {
    super();
    const options = { padding: 1, bias: false, init: kaimingNormal() };
    this.conv1 = new Conv2d(cin, cout, 3, { ...options, stride });
    this.bn1 = new BatchNorm2d(cout);
    this.conv2 = new Conv2d(cout, cout, 3, options);
    this.bn2 = new BatchNorm2d(cout);
    [this.#missing, this.#stride] = [cout - cin, stride];
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const y = pipe(ctx, x, this.conv1, this.bn1, relu, this.conv2, this.bn2);
    if (this.#missing === 0) return relu(add(y, x));
    return relu(add(y, padChannels(subsample(x, this.#stride), this.#missing / 2, this.#missing / 2)));
  }
}

/** ResNet-20 (He et al. 2015, section 4.2, option A): [N,32,32,3] → [N,10]; `width` channels in the first stage. */
export class ResNet20 extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layers: Sequential;
  readonly linear: Linear;

  constructor(width = 16) {
    super();
    this.conv1 = new Conv2d(3, width, 3, { padding: 1, bias: false, init: kaimingNormal() });
    this.bn1 = new BatchNorm2d(width);
    const stages = [1, 2, 4].flatMap((m, i) =>
      [0, 1, 2].map((j) => new Block(j === 0 && i > 0 ? (width * m) / 2 : width * m, width * m, j === 0 && i > 0 ? 2 : 1)),
    );
    this.layers = new Sequential(stages);
    this.linear = new Linear(4 * width, 10);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv1, this.bn1, relu, this.layers, globalAvgPool, this.linear);
  }
}

/** A batch of noise with labels 0 … 9 in turn. */
export function noise(
  batch: number,
  size = 32,
): { images: Float32Array; labels: Int32Array; shape: [number, number, number, number] } {
  const random = new Random(1);
  return {
    images: Float32Array.from({ length: batch * size * size * 3 }, () => random.normal()),
    labels: Int32Array.from({ length: batch }, (_, i) => i % 10),
    shape: [batch, size, size, 3],
  };
}

/** Steps of SGD with momentum 0.9 on one batch. */
export class Steps {
  readonly #momenta = new Map<string, Tensor>();
  readonly #loss = crossEntropy();

  constructor(
    readonly model: Module,
    readonly batch: ReturnType<typeof noise>,
    readonly rate = 0.05,
  ) {}

  /** One step; its loss. */
  step(): number {
    const parameters = [...this.model.parameters()];
    const variables = parameters.map(([, parameter]) => parameter.value);
    const { value, grads } = tidy(() => {
      const x = tensor(this.batch.images, this.batch.shape);
      return variableGrads(() => this.#loss(this.model.forward(x, { training: true }), this.batch.labels), variables);
    });
    for (const [name, parameter] of parameters) {
      const variable = parameter.value;
      const gradient = grads[variable.name];
      const old = this.#momenta.get(name);
      const next = old ? tidy(() => sub(mul(old, 0.9), mul(gradient, -1))) : clone(gradient);
      old?.dispose();
      this.#momenta.set(name, next);
      tidy(() => variable.assign(sub(variable, mul(next, this.rate))));
      gradient.dispose();
    }
    const loss = value.dataSync()[0];
    value.dispose();
    return loss;
  }

  dispose(): void {
    for (const momentum of this.#momenta.values()) momentum.dispose();
    this.model.dispose();
  }
}
