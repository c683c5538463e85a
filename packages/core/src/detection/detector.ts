import { type Tensor, type TensorContainer, dispose, tensor4d, tidy, transpose } from '@tensorflow/tfjs-core';
import { classNames, inputSize } from '../classifier.js';
import { ArgumentError } from '../errors.js';
import { type Image, type ImageInput, type Preprocessing, toImage } from '../image.js';
import type { Task } from '../model.js';
import { Module, inference } from '../module.js';
import { predictWith } from '../predict.js';
import type { Loss } from '../train/losses.js';
import type { DetectionLabels } from '../train/object-labels.js';
import { type InputSize, type Placement, letterbox, unplaceBox } from './letterbox.js';
import { type NmsOptions, nonMaxSuppression } from './nms.js';
import type { Candidates, Detection } from './types.js';

/** Which of a net's proposals become detections; what is not given has the net's own default. */
export interface DetectOptions extends Partial<NmsOptions> {
  /** Images that go through the net at once. Default 1. */
  readonly batchSize?: number;
  /** Is an image fitted into the input as published figures of average precision were measured? See `prepare`. Default false. */
  readonly evaluation?: boolean;
}

export interface DetectorOptions {
  readonly numClasses: number;
  /** Names of the classes; default `class 0`, `class 1` … */
  readonly classes?: readonly string[] | undefined;
  /** Its `size` is that of the input; pixels are divided by 255, whatever it says of mean and std. */
  readonly preprocessing: Preprocessing;
  /** Default: 'detect'. */
  readonly task?: Exclude<Task, 'classify'>;
  /** What the net's authors use. Default: confidence 0.25, IoU 0.7, 300 detections. */
  readonly defaults?: Partial<NmsOptions>;
}

/** How `prepare` makes an input. */
export interface PrepareOptions {
  /** As in `DetectOptions`. */
  readonly evaluation: boolean;
  /** [height, width, 3] of the net's input size, 0 … 1. */
  readonly into: Float32Array;
}

/** What the output of a net means, still on the device; of a batch of N images with n proposals each. */
export interface Proposals {
  /** [N, n, 4] corners in pixels of the net's input */
  readonly boxes: Tensor;
  /** [N, n, numClasses], 0 … 1 */
  readonly scores: Tensor;
  /** [N, n, k] mask coefficients, or x, y, score of keypoints in pixels of the net's input */
  readonly extras?: Tensor;
  /** [N, h, w, k] masks that the coefficients mix */
  readonly prototypes?: Tensor;
}

/** Masks of one image that coefficients mix: [channels, height, width], one after the other. */
export interface Prototypes {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** A detection on its way: what `finish` needs to add a mask or keypoints. */
export interface Found {
  readonly detection: Detection;
  /** The box in pixels of the net's input. */
  readonly inputBox: Float32Array;
  readonly extras: Float32Array;
  readonly prototypes: Prototypes | undefined;
  readonly placement: Placement;
}

/** A network from images [N, H, W, 3], 0 … 1, to boxes; `Output` is what training needs of it. */
export abstract class Detector<Output = unknown> extends Module<Output> {
  classes: readonly string[];
  /** Height and width that images are fitted into; any that the net's strides divide. */
  inputSize: InputSize;
  readonly task: Exclude<Task, 'classify'>;
  readonly #defaults: NmsOptions;
  /** Of the latest batch; the next one of its size is written over it. */
  #inputs = new Float32Array(0);

  constructor({ numClasses, classes, preprocessing, task = 'detect', defaults }: DetectorOptions) {
    super();
    this.classes = classNames(numClasses, classes);
    this.inputSize = inputSize(preprocessing);
    this.task = task;
    this.#defaults = { confidence: 0.25, iou: 0.7, maxDetections: 300, ...defaults };
  }

  /** Paths of the modules whose weights depend on the classes. */
  abstract get heads(): readonly string[];

  /** The loss that the net is trained with, by default. Throws ArgumentError for a net that has none. */
  trainingLoss(): Loss<Output, DetectionLabels> {
    throw new ArgumentError('The net has no loss of its own: pass one to the trainer.');
  }

  /** What an output means. Runs inside a tidy: what it does not return is freed. */
  protected abstract decode(output: Output): Proposals;

  /**
   * Writes the input of an image to `into`, and says where the image lies in it. Default: Ultralytics' letterbox, whose evaluation rounds
   * the sides of the scaled image up.
   */
  protected prepare(image: Image, { evaluation, into }: PrepareOptions): Placement {
    return letterbox(image, this.inputSize, { roundUp: evaluation, into }).placement;
  }

  /** Adds what a net knows besides the box. */
  protected finish({ detection }: Found): Detection {
    return detection;
  }

  /** The proposals for images [N, H, W, 3] as `prepare` makes them, before any is chosen; the tensors are the caller's. */
  propose(x: Tensor): Proposals {
    return tidy(() => this.decode(this.forward(x, inference)) as unknown as TensorContainer) as unknown as Proposals;
  }

  /**
   * The objects in an image, best first.
   *
   *     const [best] = await model.detect('bus.jpg', { confidence: 0.4 });
   *     console.log(best.label, best.score, best.box);
   */
  async detect(image: ImageInput, options: DetectOptions = {}): Promise<Detection[]> {
    const [detections] = await this.detectAll([image], options);
    return detections;
  }

  /** `detect` for several images. */
  async detectAll(images: readonly ImageInput[], options: DetectOptions = {}): Promise<Detection[][]> {
    const { batchSize = 1, evaluation = false } = options;
    const rules = { ...this.#defaults, ...options };
    const results: Detection[][] = [];
    for (let start = 0; start < images.length; start += batchSize) {
      const batch = await Promise.all(images.slice(start, start + batchSize).map(toImage));
      const { candidates, prototypes, placements } = await this.#run(batch, evaluation);
      placements.forEach((placement, i) => results.push(this.#select(candidates[i], prototypes[i], placement, rules)));
    }
    return results;
  }

  /** Pictures → what the net proposes for each. Until the values are read nothing waits, so that `#inputs` is this batch's own. */
  async #run(images: readonly Image[], evaluation: boolean) {
    const [height, width] = this.inputSize;
    const size = height * width * 3;
    if (this.#inputs.length !== images.length * size) this.#inputs = new Float32Array(images.length * size);
    const placements = images.map((image, i) => {
      const into = this.#inputs.subarray(i * size, (i + 1) * size);
      return this.prepare(image, { evaluation, into });
    });
    const proposals = tidy(() => {
      const x = tensor4d(this.#inputs, [images.length, height, width, 3]);
      return predictWith(this, 'planes', (input) => planes(this.propose(input)) as unknown as TensorContainer, x);
    }) as unknown as Proposals;
    try {
      const { boxes, scores, extras, prototypes } = proposals;
      const [b, s, e, p] = await Promise.all([boxes, scores, extras, prototypes].map((t) => t?.data() as Promise<Float32Array>));
      const of = (values: Float32Array, i: number): Float32Array => {
        const length = values.length / images.length;
        return values.subarray(i * length, (i + 1) * length);
      };
      return {
        placements,
        candidates: images.map((_, i): Candidates => ({ boxes: of(b, i), scores: of(s, i), ...(e && { extras: of(e, i) }) })),
        prototypes: images.map((_, i) => p && { values: of(p, i), height: prototypes!.shape[2]!, width: prototypes!.shape[3]! }),
      };
    } finally {
      dispose(proposals as unknown as TensorContainer);
    }
  }

  #select(candidates: Candidates, prototypes: Prototypes | undefined, placement: Placement, rules: NmsOptions): Detection[] {
    const { indices, classes, scores } = nonMaxSuppression(candidates, this.classes.length, rules);
    const count = candidates.boxes.length / 4;
    const { extras = new Float32Array(0) } = candidates;
    return Array.from(indices, (index, i) => {
      const inputBox = candidates.boxes.subarray(index * 4, index * 4 + 4);
      const detection = {
        class: classes[i],
        label: this.classes[classes[i]],
        score: scores[i],
        box: unplaceBox(inputBox, placement),
      };
      const own = Float32Array.from({ length: extras.length / count }, (_, k) => extras[k * count + index]);
      return this.finish({ detection, inputBox, extras: own, prototypes, placement });
    });
  }
}

/** Proposals as `Candidates` and `Prototypes` have them, which is how convolutions in ONNX Runtime leave them: nothing is moved. */
function planes({ boxes, scores, extras, prototypes }: Proposals): Proposals {
  return {
    boxes,
    scores: transpose(scores, [0, 2, 1]),
    ...(extras && { extras: transpose(extras, [0, 2, 1]) }),
    ...(prototypes && { prototypes: transpose(prototypes, [0, 3, 1, 2]) }),
  };
}
