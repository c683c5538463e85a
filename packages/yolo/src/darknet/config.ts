/** What a Darknet `.cfg` file says, section by section. Layers are numbered from 0 after `[net]`, as Darknet does. */
export interface DarknetConfig {
  readonly net: NetConfig;
  readonly layers: readonly LayerConfig[];
}

export interface NetConfig {
  readonly line: number;
  /** Of the input; undefined in nets that do not take images. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly channels: number;
  /** AlexeyAB's `letter_box=1`: images keep their proportions. */
  readonly letterbox: boolean;
  /** Whose program the file is for, told by what it uses; see `programOf`. */
  readonly program: Program;
}

/**
 * The two programs called Darknet. Redmon's (YOLOv1 to YOLOv3) normalises by √variance + 1e-6 in evaluation, Bochkovskiy's (YOLOv4, and what
 * came later) by √(variance + 1e-5).
 */
export type Program = 'redmon' | 'bochkovskiy';

/** One layer; `line` is that of its header. */
export type LayerConfig =
  | ConvolutionalConfig
  | LocalConfig
  | ConnectedConfig
  | MaxPoolConfig
  | AvgPoolConfig
  | UpsampleConfig
  | RouteConfig
  | ShortcutConfig
  | ReorgConfig
  | ScaleChannelsConfig
  | SamConfig
  | CropConfig
  | DropoutConfig
  | SoftmaxConfig
  | CostConfig
  | HeadConfig
  | UnsupportedConfig;

/** Layers whose input means boxes. */
export type HeadConfig = YoloConfig | RegionConfig | DetectionConfig;

interface Section {
  readonly line: number;
}

export interface ConvolutionalConfig extends Section {
  readonly kind: 'convolutional';
  readonly filters: number;
  readonly size: number;
  readonly stride: readonly [y: number, x: number];
  readonly padding: number;
  readonly dilation: number;
  readonly groups: number;
  readonly batchNormalize: boolean;
  readonly activation: ActivationName;
}

export interface LocalConfig extends Section {
  readonly kind: 'local';
  readonly filters: number;
  readonly size: number;
  readonly stride: number;
  readonly padding: number;
  readonly activation: ActivationName;
}

export interface ConnectedConfig extends Section {
  readonly kind: 'connected';
  readonly output: number;
  readonly batchNormalize: boolean;
  readonly activation: ActivationName;
}

export interface MaxPoolConfig extends Section {
  readonly kind: 'maxpool';
  readonly size: number;
  readonly stride: readonly [y: number, x: number];
  /** On both sides together; the smaller half is above and on the left. */
  readonly padding: number;
}

export interface AvgPoolConfig extends Section {
  readonly kind: 'avgpool';
}

export interface UpsampleConfig extends Section {
  readonly kind: 'upsample';
  readonly stride: number;
  readonly scale: number;
}

export interface RouteConfig extends Section {
  readonly kind: 'route';
  readonly layers: readonly number[];
  /** Of each layer, part `groupId` of `groups` equal parts of the channels. */
  readonly groups: number;
  readonly groupId: number;
}

export interface ShortcutConfig extends Section {
  readonly kind: 'shortcut';
  readonly from: readonly number[];
  readonly activation: ActivationName;
}

export interface ReorgConfig extends Section {
  readonly kind: 'reorg';
  readonly stride: number;
}

/** The layer `from`, scaled channel by channel by the layer before: squeeze and excitation. */
export interface ScaleChannelsConfig extends Section {
  readonly kind: 'scale_channels';
  readonly from: number;
  readonly activation: ActivationName;
}

/** The layer before times the layer `from`: spatial attention. */
export interface SamConfig extends Section {
  readonly kind: 'sam';
  readonly from: number;
  readonly activation: ActivationName;
}

export interface CropConfig extends Section {
  readonly kind: 'crop';
  readonly height: number;
  readonly width: number;
  /** Pixels become 2x − 1. */
  readonly adjust: boolean;
}

export interface DropoutConfig extends Section {
  readonly kind: 'dropout';
  readonly probability: number;
}

export interface SoftmaxConfig extends Section {
  readonly kind: 'softmax';
  readonly temperature: number;
}

export interface CostConfig extends Section {
  readonly kind: 'cost';
}

/** `[yolo]` of YOLOv3 and YOLOv4: `mask.length` anchors in each cell, of `anchors` in pixels of the input. */
export interface YoloConfig extends Section {
  readonly kind: 'yolo';
  readonly classes: number;
  readonly mask: readonly number[];
  readonly anchors: readonly (readonly [width: number, height: number])[];
  readonly scaleXY: number;
  /** Scaled-YOLOv4: the layer before has the logistic activation, and sizes are (2s)² times the anchor's. */
  readonly newCoords: boolean;
  /** Above this overlap with an object a cell that is not its own is not background (training). */
  readonly ignoreThreshold: number;
  readonly loss: YoloLossConfig;
  /** β of DIoU-NMS, where the file asks for it. */
  readonly diouBeta: number | undefined;
}

/** What a `[yolo]` says of its loss. */
export interface YoloLossConfig {
  /** How boxes are compared: by their four coordinates, or by an overlap. */
  readonly boxes: 'mse' | 'iou' | 'giou' | 'diou' | 'ciou';
  /** Anchors whose shape overlaps an object's by more than this are to find it too, not the best one alone. */
  readonly anchorThreshold: number;
  /** How much boxes, objectness and classes count. */
  readonly weights: { readonly box: number; readonly object: number; readonly class: number };
}

/** `[region]` of YOLOv2: one anchor for each box of a cell, in cells. */
export interface RegionConfig extends Section {
  readonly kind: 'region';
  readonly classes: number;
  readonly anchors: readonly (readonly [width: number, height: number])[];
  /** Class probabilities by softmax; else each by the logistic function. */
  readonly softmax: boolean;
}

/** `[detection]` of YOLOv1: a grid of side × side cells with `num` boxes and one set of class probabilities each. */
export interface DetectionConfig extends Section {
  readonly kind: 'detection';
  readonly classes: number;
  readonly side: number;
  readonly num: number;
  readonly softmax: boolean;
  /** The net gives the square roots of width and height. */
  readonly sqrt: boolean;
}

/** A layer that Darknet knows and convkit does not build. */
export interface UnsupportedConfig extends Section {
  readonly kind: 'unsupported';
  /** `[rnn]`, or `xnor=1 of [convolutional]` */
  readonly what: string;
}

export type ActivationName =
  | 'linear'
  | 'leaky'
  | 'relu'
  | 'relu6'
  | 'relie'
  | 'ramp'
  | 'logistic'
  | 'loggy'
  | 'tanh'
  | 'hardtan'
  | 'lhtan'
  | 'plse'
  | 'elu'
  | 'selu'
  | 'swish'
  | 'mish';

/** Is this layer one whose input means boxes? */
export const isHead = (layer: LayerConfig): layer is HeadConfig =>
  layer.kind === 'yolo' || layer.kind === 'region' || layer.kind === 'detection';

/** Values in each cell of the map that a head reads: 3·(5 + 80) = 255 for YOLOv3 on COCO. */
export function headChannels(head: HeadConfig): number {
  switch (head.kind) {
    case 'yolo':
      return head.mask.length * (5 + head.classes);
    case 'region':
      return head.anchors.length * (5 + head.classes);
    case 'detection':
      return head.side ** 2 * (head.classes + head.num * 5);
  }
}
