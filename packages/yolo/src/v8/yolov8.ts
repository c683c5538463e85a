// YOLOv8 (Jocher et al. 2023): a detector without anchors, without a paper. Written from its published shapes and weights' names,
// which these are: `model.0.conv.weight` … `model.22.dfl.conv.weight`.
import { ArgumentError, type CommonConfig, type Context, DEFAULT_SEED, Random, ShapeError, reshape } from '@convkit/core';
import { type Detection, Detector, type Found, type Proposals } from '@convkit/core/detection';
import type { DetectionLabels, Loss } from '@convkit/core/train';
import type { Tensor } from '@tensorflow/tfjs-core';
import { yoloV8Loss } from '../train/v8-loss.js';
import { ModuleList } from './blocks.js';
import { Detect, Pose, Segment } from './heads.js';
import { keypointsOf } from './keypoints.js';
import { maskOf } from './masks.js';
import { Backbone, Neck, type Scale, scaled } from './net.js';
import { STRIDES, type YoloV8Output } from './output.js';
import { renameTinygrad } from './rename.js';

export interface YoloV8Config extends CommonConfig {
  scale: Scale;
  /** What the head says besides boxes: nothing, masks, body joints. */
  task: 'detect' | 'segment' | 'pose';
  /** Body joints of a pose. */
  keypoints: number;
}

/** [N, H, W, 3], 0 … 1, both sides multiples of 32 → boxes, scores and what the task adds, for each anchor point. */
export class YoloV8 extends Detector<YoloV8Output> {
  readonly model: ModuleList;
  readonly #backbone: Backbone;
  readonly #neck: Neck;
  readonly #head: Detect;

  constructor({ numClasses, classes, preprocessing, scale, task, keypoints }: YoloV8Config) {
    super({ numClasses, classes, preprocessing, task });
    this.#backbone = new Backbone(scale);
    this.#neck = new Neck(scale);
    const { channels } = this.#neck;
    this.#head = {
      detect: () => new Detect(channels, numClasses),
      segment: () => new Segment(channels, numClasses, scaled(256, scale)),
      pose: () => new Pose(channels, numClasses, keypoints),
    }[task]();
    this.model = new ModuleList({ ...this.#backbone.layers, ...this.#neck.layers, 22: this.#head });
  }

  /** Boxes, classes and what the task adds, as YOLOv8 was trained. */
  override trainingLoss(): Loss<YoloV8Output, DetectionLabels> {
    return yoloV8Loss();
  }

  /** The class branches of all levels. */
  get heads(): readonly string[] {
    return ['model.22.cv3'];
  }

  forward(x: Tensor, ctx: Context): YoloV8Output {
    const [, height, width, channels] = x.shape as [number, number, number, number];
    const coarsest = STRIDES[2];
    if (x.rank !== 4 || channels !== 3 || height % coarsest !== 0 || width % coarsest !== 0) {
      throw new ShapeError(`YOLOv8: expected images [N, H, W, 3] with H and W multiples of ${coarsest}, found [${x.shape}].`);
    }
    return this.#head.run(this.#neck.run(this.#backbone.run(x, ctx), ctx), [height, width], ctx);
  }

  /** Gives the net other classes; the class branches are drawn as `initialize(seed)` draws them, all other weights stay. */
  replaceHead(numClasses: number, options: { classes?: readonly string[]; seed?: number } = {}): this {
    const { classes = Array.from({ length: numClasses }, (_, i) => `class ${i}`), seed = DEFAULT_SEED } = options;
    if (!Number.isInteger(numClasses) || numClasses < 1 || classes.length !== numClasses) {
      throw new ArgumentError(`Expected a name for each of ${numClasses} classes, found ${classes.length}.`);
    }
    this.#head.resize(numClasses);
    const random = new Random(seed).child('init');
    for (const [name, state] of this.#head.cv3.state(this.heads[0])) {
      if (state.kind !== 'counter') state.initialize(random.child(name));
    }
    this.classes = classes;
    return this;
  }

  /** Ultralytics' names are the net's own; tinygrad's, which candle's files have, are translated. */
  override rename(name: string): string {
    return renameTinygrad(name);
  }

  protected decode({ boxes, scores, coefficients, prototypes, keypoints }: YoloV8Output): Proposals {
    if (coefficients && prototypes) return { boxes, scores, extras: coefficients, prototypes };
    if (!keypoints) return { boxes, scores };
    const [n, anchors, joints] = keypoints.shape;
    return { boxes, scores, extras: reshape(keypoints, [n, anchors, 3 * joints]) };
  }

  protected override finish({ detection, extras, prototypes, placement }: Found): Detection {
    if (prototypes) return { ...detection, mask: maskOf(detection.box, extras, prototypes, placement) };
    return this.task === 'pose' ? { ...detection, keypoints: keypointsOf(extras, placement) } : detection;
  }
}
