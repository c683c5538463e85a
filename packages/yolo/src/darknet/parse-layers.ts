import { activations } from './activations.js';
import type { ActivationName, LayerConfig, YoloLossConfig } from './config.js';
import type { Options } from './options.js';

/** Reads the options of layer number `index`. */
export type Parser = (options: Options, index: number) => LayerConfig;

const activation = (options: Options, fallback: ActivationName): ActivationName => options.word('activation', fallback, names);
const names = Object.fromEntries(Object.keys(activations).map((name) => [name, name as ActivationName]));

/** `pad=1` keeps the size (⌊size / 2⌋ on each side), else `padding` counts. */
const padding = (options: Options, size: number): number =>
  options.flag('pad') ? Math.floor(size / 2) : options.integer('padding', 0, 0);

function strides(options: Options): [y: number, x: number] {
  const stride = options.integer('stride', 1);
  return [options.integer('stride_y', stride), options.integer('stride_x', stride)];
}

/** Pairs of numbers, at least `count` of them. */
function anchors(options: Options, count: number): [width: number, height: number][] {
  const values = options.numbers('anchors');
  if (values.length < 2 * count || values.length % 2 !== 0) options.fail('anchors', `at least ${count} pairs of numbers`);
  return Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]]);
}

const convolutional: Parser = (options) => {
  const size = options.integer('size', 1);
  return {
    kind: 'convolutional',
    line: options.line,
    filters: options.integer('filters'),
    size,
    stride: strides(options),
    padding: padding(options, size),
    dilation: size === 1 ? 1 : options.integer('dilation', 1),
    groups: options.integer('groups', 1),
    batchNormalize: options.flag('batch_normalize'),
    activation: activation(options, 'logistic'),
  };
};

const connected: Parser = (options) => ({
  kind: 'connected',
  line: options.line,
  output: options.integer('output'),
  batchNormalize: options.flag('batch_normalize'),
  activation: activation(options, 'logistic'),
});

const local: Parser = (options) => ({
  kind: 'local',
  line: options.line,
  filters: options.integer('filters'),
  size: options.integer('size', 1),
  stride: options.integer('stride', 1),
  padding: options.flag('pad') ? Math.floor(options.integer('size', 1) / 2) : 0,
  activation: activation(options, 'logistic'),
});

const maxpool: Parser = (options) => {
  const stride = strides(options);
  const size = options.integer('size', options.integer('stride', 1));
  return { kind: 'maxpool', line: options.line, size, stride, padding: options.integer('padding', size - 1, 0) };
};

const avgpool: Parser = (options) => ({ kind: 'avgpool', line: options.line });

const upsample: Parser = (options) => ({
  kind: 'upsample',
  line: options.line,
  stride: options.integer('stride', 2),
  scale: options.number('scale', 1),
});

const route: Parser = (options, index) => {
  const groups = options.integer('groups', 1);
  const groupId = options.integer('group_id', 0, 0);
  if (groupId >= groups) options.fail('group_id', `less than groups (= ${groups})`);
  return { kind: 'route', line: options.line, layers: options.references('layers', index), groups, groupId };
};

const shortcut: Parser = (options, index) => {
  return {
    kind: 'shortcut',
    line: options.line,
    from: options.references('from', index),
    activation: activation(options, 'linear'),
  };
};

const reorg: Parser = (options) => {
  return { kind: 'reorg', line: options.line, stride: options.integer('stride', 1) };
};

const multiplied =
  (kind: 'sam' | 'scale_channels'): Parser =>
  (options, index) => {
    const [from] = options.references('from', index);
    return { kind, line: options.line, from, activation: activation(options, 'linear') };
  };

const crop: Parser = (options) => ({
  kind: 'crop',
  line: options.line,
  height: options.integer('crop_height', 1),
  width: options.integer('crop_width', 1),
  adjust: !options.flag('noadjust'),
});

const dropout: Parser = (options) => {
  const probability = options.number('probability', 0.5);
  if (!(probability >= 0 && probability < 1)) options.fail('probability', 'at least 0 and below 1');
  return { kind: 'dropout', line: options.line, probability };
};

const softmax: Parser = (options) => {
  if (options.integer('groups', 1) !== 1) options.fail('groups', '1');
  return { kind: 'softmax', line: options.line, temperature: options.number('temperature', 1) };
};

const cost: Parser = (options) => ({ kind: 'cost', line: options.line });

const yolo: Parser = (options) => {
  const all = anchors(options, 1);
  const mask = options.has('mask') ? options.numbers('mask') : all.map((_, i) => i);
  if (!mask.every((i) => Number.isInteger(i) && i >= 0 && i < all.length)) {
    options.fail('mask', `anchors from 0 to ${all.length - 1}, of which there are ${all.length}`);
  }
  return {
    kind: 'yolo',
    line: options.line,
    classes: options.integer('classes'),
    mask,
    anchors: all,
    scaleXY: options.number('scale_x_y', 1),
    newCoords: options.flag('new_coords'),
    ignoreThreshold: options.number('ignore_thresh', 0.5),
    loss: yoloLoss(options),
    diouBeta: options.text('nms_kind', 'default') === 'diounms' ? options.number('beta_nms', 0.6) : undefined,
  };
};

const boxLosses = { mse: 'mse', iou: 'iou', giou: 'giou', diou: 'diou', ciou: 'ciou' } as const;

function yoloLoss(options: Options): YoloLossConfig {
  const boxes = options.word<YoloLossConfig['boxes']>('iou_loss', 'mse', boxLosses);
  return {
    boxes,
    anchorThreshold: options.number('iou_thresh', 1),
    weights: {
      box: options.number('iou_normalizer', boxes === 'mse' ? 1 : 0.75),
      object: options.number('obj_normalizer', 1),
      class: options.number('cls_normalizer', 1),
    },
  };
}

const region: Parser = (options) => {
  if (options.integer('coords', 4) !== 4) options.fail('coords', '4');
  const num = options.integer('num', 1);
  return {
    kind: 'region',
    line: options.line,
    classes: options.integer('classes'),
    anchors: anchors(options, num).slice(0, num),
    softmax: options.flag('softmax'),
  };
};

const detection: Parser = (options) => {
  if (options.integer('coords', 4) !== 4) options.fail('coords', '4');
  return {
    kind: 'detection',
    line: options.line,
    classes: options.integer('classes'),
    side: options.integer('side', 7),
    num: options.integer('num', 1),
    softmax: options.flag('softmax'),
    sqrt: options.flag('sqrt'),
  };
};

/** Reads a section, by its name. */
export const parsers: Readonly<Record<string, Parser>> = {
  convolutional,
  conv: convolutional,
  connected,
  conn: connected,
  local,
  maxpool,
  max: maxpool,
  avgpool,
  avg: avgpool,
  upsample,
  route,
  shortcut,
  reorg,
  scale_channels: multiplied('scale_channels'),
  sam: multiplied('sam'),
  crop,
  dropout,
  softmax,
  soft: softmax,
  cost,
  yolo,
  region,
  detection,
};
