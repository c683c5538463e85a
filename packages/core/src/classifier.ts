import { type Tensor, type Tensor2D, stack, tensor3d, tidy } from '@tensorflow/tfjs-core';
import { ArgumentError } from './errors.js';
import { softmax } from './functional.js';
import { type Image, type Preprocessing, preprocess } from './image.js';
import { Module, inference } from './module.js';

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

/** A network from images [N, H, W, 3] to class logits [N, numClasses]. */
export abstract class Classifier extends Module<Tensor> {
  classes: readonly string[];
  preprocessing: Preprocessing;

  constructor({ numClasses, classes, preprocessing }: ClassifierOptions) {
    super();
    if (!Number.isInteger(numClasses) || numClasses < 1) {
      throw new ArgumentError(`numClasses must be a whole number above 0, found ${numClasses}.`);
    }
    if (classes && classes.length !== numClasses) {
      throw new ArgumentError(`The net has ${numClasses} classes, but ${classes.length} class names were given.`);
    }
    this.classes = classes ?? Array.from({ length: numClasses }, (_, i) => `class ${i}`);
    this.preprocessing = preprocessing;
  }

  /** The `topk` most probable classes of an image, best first. */
  async classify(image: Image, options: { topk?: number } = {}): Promise<Prediction[]> {
    const [predictions] = await this.classifyAll([image], options);
    return predictions;
  }

  /** `classify` for several images in one batch. */
  async classifyAll(images: readonly Image[], { topk = 5 }: { topk?: number } = {}): Promise<Prediction[][]> {
    const probabilities = tidy(() => {
      const inputs = images.map((image) => preprocess(image, this.preprocessing));
      const [height, width] = inputSize(this.preprocessing);
      const batch = stack(inputs.map((values) => tensor3d(values, [height, width, 3])));
      return softmax(this.forward(batch, inference)) as Tensor2D;
    });
    try {
      return (await probabilities.array()).map((row) => this.#top(row, topk));
    } finally {
      probabilities.dispose();
    }
  }

  #top(scores: number[], topk: number): Prediction[] {
    const order = scores.map((_, index) => index).sort((a, b) => scores[b] - scores[a] || a - b);
    return order.slice(0, topk).map((index) => ({ index, label: this.classes[index], score: scores[index] }));
  }
}

/** Height and width of the net's input. */
export function inputSize({ size }: Preprocessing): [height: number, width: number] {
  return typeof size === 'number' ? [size, size] : [size[0], size[1]];
}
