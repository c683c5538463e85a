import { type CommonConfig, type Context, type Image, type Module, inputSize } from '@convkit/core';
import {
  Detector,
  type InputSize,
  type IntoOptions,
  type NetInput,
  type Placement,
  type PrepareOptions,
  type Proposals,
  letterboxDarknet,
  stretch,
  stretchDarknet,
} from '@convkit/core/detection';
import type { DetectionLabels, Loss } from '@convkit/core/train';
import type { Tensor } from '@tensorflow/tfjs-core';
import { darknetLoss } from '../train/darknet-loss.js';
import { type DarknetBackbone, loadDarknetBackbone } from './backbone.js';
import type { DarknetConfig, YoloConfig } from './config.js';
import { decodeHeads } from './decode.js';
import { DarknetNetwork } from './network.js';
import { withClasses } from './with-classes.js';

/**
 * How an image becomes the input: `letterbox`, Darknet's own, proportions kept and grey around; `stretch`, proportions changed, with OpenCV's
 * bilinear, as programs run Darknet's files through OpenCV; `darknet`, the same with Darknet's own bilinear, whose corners lie on corners.
 */
export type Fit = 'letterbox' | 'stretch' | 'darknet';

const fits: Readonly<Record<Fit, (image: Image, size: InputSize, options: IntoOptions) => NetInput>> = {
  letterbox: letterboxDarknet,
  stretch,
  darknet: stretchDarknet,
};

/** The options of a detector that comes from a `.cfg` file. */
export interface DarknetDetectorConfig extends CommonConfig {
  /** Redmon's Darknet letterboxes since YOLOv2; Bochkovskiy's stretches, unless the file says letter_box=1. */
  fit: Fit;
}

/**
 * YOLOv1 to YOLOv4: x [N, H, W, 3], 0 … 1 → one map for each head, as the layer before it gives it: [N, h, w, anchors·(5 + classes)] with
 * tx, ty, tw, th, to and the classes for each anchor, before any logistic function. `detect` turns them into boxes, with Darknet's own
 * choices: one detection for each class of a box above the threshold, suppression above an IoU of 0.45.
 */
export class DarknetDetector extends Detector<readonly Tensor[]> {
  /** The layers of the file, its heads with their anchors among them. */
  readonly network: DarknetNetwork;
  readonly #fit: Fit;

  constructor(cfg: DarknetConfig, { numClasses, classes, preprocessing, fit }: DarknetDetectorConfig) {
    const network = new DarknetNetwork(withClasses(cfg, numClasses), inputSize(preprocessing));
    const yolo = network.heads.map(({ config }) => config).filter((config): config is YoloConfig => config.kind === 'yolo');
    const diouBeta = yolo.at(-1)?.diouBeta;
    super({ numClasses, classes, preprocessing, defaults: { iou: 0.45, multiLabel: true, ...(diouBeta && { diouBeta }) } });
    this.network = network;
    this.#fit = fit;
  }

  /** Sets the first layers from a file that ends before the net does, such as `darknet53.conv.74`: see `loadDarknetBackbone`. */
  loadBackbone(bytes: Uint8Array, name?: string): DarknetBackbone {
    return loadDarknetBackbone(this, bytes, name);
  }

  override parts(): [string, Module][] {
    return this.network.parts();
  }

  /** As the file's `[yolo]` sections say. Throws ArgumentError for other heads. */
  override trainingLoss(): Loss<readonly Tensor[], DetectionLabels> {
    return darknetLoss(this.network.heads);
  }

  get heads(): readonly string[] {
    return this.network.heads.map(({ index }) => String(index - 1));
  }

  forward(x: Tensor, ctx: Context): readonly Tensor[] {
    return this.network.forward(x, ctx);
  }

  protected override prepare(image: Image, { into }: PrepareOptions): Placement {
    this.network.checkSize(this.inputSize);
    return fits[this.#fit](image, this.inputSize, { into }).placement;
  }

  protected override decode(maps: readonly Tensor[]): Proposals {
    return decodeHeads(maps, this.network.heads, this.inputSize);
  }
}
