import { Tensor, type Tensor2D, type Tensor4D, keep, softmax, stack, tensor3d, tidy, unstack } from '@tensorflow/tfjs-core';
import { ArgumentError, ShapeError } from './errors.js';
import { type FeatureStage, tap } from './features.js';
import { type Image, type ImageInput, type Preprocessing, preprocess, toImage } from './image.js';
import { Linear } from './layers/linear.js';
import { DEFAULT_SEED, Module, inference } from './module.js';
import { predictWith } from './predict.js';
import { Random } from './random.js';

export interface Prediction {
  /** Index of the class in the net's output. */
  index: number;
  label: string;
  /** Softmax probability, 0 … 1. */
  score: number;
}

export interface ClassifierOptions {
  numClasses: number;
  /** Names of the classes; default `class 0`, `class 1` … */
  classes?: readonly string[];
  /** How an image becomes an input; it belongs to the weights, so loading a checkpoint may replace it. */
  preprocessing: Preprocessing;
}

/** Images in any of the forms of `ImageInput`, or one tensor [N, H, W, 3]: int32 pixels, or float32 as the net takes them. */
export type ImageBatch = readonly ImageInput[] | Tensor4D;

/** A network from images [N, H, W, 3] to class logits [N, numClasses]. */
export abstract class Classifier extends Module<Tensor> {
  classes: readonly string[];
  preprocessing: Preprocessing;
  /** The levels of the net's feature pyramid, finest first: what `features` gives by these names. */
  stages: readonly FeatureStage[] = [];

  constructor({ numClasses, classes, preprocessing }: ClassifierOptions) {
    super();
    this.classes = classNames(numClasses, classes);
    this.preprocessing = preprocessing;
  }

  /** The linear layers that give logits: the net's own, then those of auxiliary heads. By default the last linear layer. */
  get heads(): readonly string[] {
    const linear = [...this.modules()].filter(([, module]) => module instanceof Linear);
    return linear.slice(-1).map(([name]) => name);
  }

  /** The `topk` most probable classes of an image, best first. */
  async classify(image: ImageInput, options: { topk?: number } = {}): Promise<Prediction[]> {
    const [predictions] = await this.classifyAll([image], options);
    return predictions;
  }

  /** `classify` for several images in one batch. */
  async classifyAll(images: ImageBatch, { topk = 5 }: { topk?: number } = {}): Promise<Prediction[][]> {
    const input = await this.#input(images);
    const compute = (x: Tensor) => softmax(this.forward(x, inference), -1) as Tensor2D;
    const probabilities = tidy(() => predictWith(this, 'probabilities', compute, input()));
    try {
      return (await probabilities.array()).map((row) => this.#top(row, topk));
    } finally {
      probabilities.dispose();
    }
  }

  /** What the head takes: one vector an image, [N, features], for search and comparison. The tensor is the caller's. */
  async embed(images: ImageBatch): Promise<Tensor2D> {
    const input = await this.#input(images);
    const [name] = this.#linear(this.heads[0]);
    return tidy(() => tap('input', this, input(), [name])[0] as Tensor2D);
  }

  /**
   * Gives the net a head for other classes, auxiliary heads too; all other weights stay. The new weights are drawn as
   * `initialize(seed)` draws them, and are not frozen; the old ones are freed.
   *
   *     resnet50().replaceHead(3, { classes: ['cat', 'dog', 'neither'] });
   */
  replaceHead(numClasses: number, { classes, seed = DEFAULT_SEED }: { classes?: readonly string[]; seed?: number } = {}): this {
    const names = classNames(numClasses, classes);
    const random = new Random(seed).child('init');
    for (const [name, head] of this.heads.map((head) => this.#linear(head))) {
      head.resize(numClasses);
      for (const [part, parameter] of head.parameters()) parameter.initialize(random.child(`${name}.${part}`));
    }
    this.classes = names;
    return this;
  }

  #linear(name: string | undefined): [name: string, head: Linear] {
    const found = [...this.modules()].find(([path]) => path === name)?.[1];
    if (name !== undefined && found instanceof Linear) return [name, found];
    throw new ArgumentError(`The net has no linear layer ${name ?? 'at all'}: its \`heads\` must name those that give logits.`);
  }

  /** A function that makes the input on the device; the images are decoded and preprocessed before. */
  async #input(images: ImageBatch): Promise<() => Tensor> {
    if (images instanceof Tensor) {
      const batch = images;
      if (batch.rank !== 4 || batch.shape[3] !== 3) throw new ShapeError(`Expected images [N, H, W, 3], found [${batch.shape}].`);
      if (batch.dtype === 'float32') return () => batch;
      const each = tidy(() => unstack(batch).map((image) => keep(image)));
      try {
        return await this.#input(each);
      } finally {
        for (const image of each) image.dispose();
      }
    }
    if (images.length === 0) throw new ArgumentError('Expected at least one image, found none.');
    const decoded: Image[] = [];
    for (const image of images) decoded.push(await toImage(image));
    const [height, width] = inputSize(this.preprocessing);
    const inputs = decoded.map((image) => preprocess(image, this.preprocessing));
    return () => stack(inputs.map((values) => tensor3d(values, [height, width, 3])));
  }

  #top(scores: number[], topk: number): Prediction[] {
    const order = scores.map((_, index) => index).sort((a, b) => scores[b] - scores[a] || a - b);
    return order.slice(0, topk).map((index) => ({ index, label: this.classes[index], score: scores[index] }));
  }
}

/** The names of a net's classes: those given, or `class 0`, `class 1` … Throws ArgumentError when they do not fit. */
export function classNames(numClasses: number, classes: readonly string[] | undefined): readonly string[] {
  if (!Number.isInteger(numClasses) || numClasses < 1) {
    throw new ArgumentError(`numClasses must be a whole number above 0, found ${numClasses}.`);
  }
  if (classes && classes.length !== numClasses) {
    throw new ArgumentError(`The net has ${numClasses} classes, but ${classes.length} class names were given.`);
  }
  return classes ?? Array.from({ length: numClasses }, (_, i) => `class ${i}`);
}

/** Height and width of the net's input. */
export function inputSize({ size }: Preprocessing): [height: number, width: number] {
  return typeof size === 'number' ? [size, size] : [size[0], size[1]];
}
