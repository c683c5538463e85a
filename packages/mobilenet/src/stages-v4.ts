// The stages of the five MobileNetV4 of the paper, as timm builds them.
import type { DepthwiseKernels } from './blocks-v4.js';
import type { MobileNetV4Block, MobileNetV4Stage } from './mobilenet-v4.js';

const conv = (kernel: 1 | 3, channels: number): MobileNetV4Block => ({ kind: 'conv', kernel, channels });
const fused = (expand: number): MobileNetV4Block => ({ kind: 'fused', expand });
const bottleneck = (expand: number, kernels: DepthwiseKernels): MobileNetV4Block => ({ kind: 'bottleneck', expand, kernels });

// The paper's names of the bottleneck's four forms.
const extraDw = (start: 3 | 5, middle: 3 | 5, expand = 4) => bottleneck(expand, [start, middle]);
const inverted = (middle: 3 | 5, expand = 4) => bottleneck(expand, [0, middle]);
const convNext = (start: 3 | 5, expand = 4) => bottleneck(expand, [start, 0]);
const feedForward = (expand = 4) => bottleneck(expand, [0, 0]);

const attention = (heads: number, dim: number, stride: 1 | 2): MobileNetV4Block => ({ kind: 'attention', heads, dim, stride });
const times = (count: number, ...blocks: MobileNetV4Block[]) => Array.from({ length: count }, () => blocks).flat();

/** Before the head: a 1×1 convolution to 960 channels. */
const last: MobileNetV4Stage = { channels: 960, stride: 1, blocks: [conv(1, 960)] };

export const convSmall: readonly MobileNetV4Stage[] = [
  { channels: 32, stride: 2, blocks: [conv(3, 32), conv(1, 32)] },
  { channels: 64, stride: 2, blocks: [conv(3, 96), conv(1, 64)] },
  { channels: 96, stride: 2, blocks: [extraDw(5, 5, 3), ...times(4, inverted(3, 2)), convNext(3)] },
  {
    channels: 128,
    stride: 2,
    blocks: [extraDw(3, 3, 6), extraDw(5, 5), inverted(5), inverted(5, 3), ...times(2, inverted(3))],
  },
  last,
];

export const convMedium: readonly MobileNetV4Stage[] = [
  { channels: 48, stride: 2, blocks: [fused(4)] },
  { channels: 80, stride: 2, blocks: [extraDw(3, 5), extraDw(3, 3, 2)] },
  {
    channels: 160,
    stride: 2,
    blocks: [
      ...[extraDw(3, 5, 6), ...times(2, extraDw(3, 3)), extraDw(3, 5), extraDw(3, 3)],
      ...[convNext(3), feedForward(2), convNext(3)],
    ],
  },
  {
    channels: 256,
    stride: 2,
    blocks: [
      ...[extraDw(5, 5, 6), extraDw(5, 5), ...times(2, extraDw(3, 5)), feedForward(), convNext(3)],
      ...[extraDw(3, 5, 2), extraDw(5, 5), ...times(2, feedForward()), convNext(5, 2)],
    ],
  },
  last,
];

export const convLarge: readonly MobileNetV4Stage[] = [
  { channels: 48, stride: 2, blocks: [fused(4)] },
  { channels: 96, stride: 2, blocks: [extraDw(3, 5), extraDw(3, 3)] },
  {
    channels: 192,
    stride: 2,
    blocks: [extraDw(3, 5), ...times(3, extraDw(3, 3)), extraDw(3, 5), ...times(5, extraDw(5, 3)), convNext(3)],
  },
  {
    channels: 512,
    stride: 2,
    blocks: [
      ...[...times(4, extraDw(5, 5)), convNext(5), extraDw(5, 3), ...times(2, convNext(5))],
      ...[extraDw(5, 3), extraDw(5, 5), ...times(3, convNext(5))],
    ],
  },
  last,
];

export const hybridMedium: readonly MobileNetV4Stage[] = [
  { channels: 48, stride: 2, blocks: [fused(4)] },
  { channels: 80, stride: 2, blocks: [extraDw(3, 5), extraDw(3, 3, 2)] },
  {
    channels: 160,
    stride: 2,
    blocks: [
      ...[extraDw(3, 5, 6), feedForward(2), extraDw(3, 3), extraDw(3, 5)],
      ...times(2, attention(4, 64, 2), extraDw(3, 3), attention(4, 64, 2), convNext(3)),
    ],
  },
  {
    channels: 256,
    stride: 2,
    blocks: [
      ...[extraDw(5, 5, 6), extraDw(5, 5), ...times(2, extraDw(3, 5))],
      ...[feedForward(2), extraDw(3, 5, 2), feedForward(2), feedForward()],
      ...[attention(4, 64, 1), convNext(3), attention(4, 64, 1), extraDw(5, 5)],
      ...times(2, attention(4, 64, 1), convNext(5)),
    ],
  },
  last,
];

export const hybridLarge: readonly MobileNetV4Stage[] = [
  { channels: 48, stride: 2, blocks: [fused(4)] },
  { channels: 96, stride: 2, blocks: [extraDw(3, 5), extraDw(3, 3)] },
  {
    channels: 192,
    stride: 2,
    blocks: [
      ...[extraDw(3, 5), ...times(3, extraDw(3, 3)), extraDw(3, 5), ...times(2, extraDw(5, 3))],
      ...[...times(3, attention(8, 48, 2), extraDw(5, 3)), attention(8, 48, 2), convNext(3)],
    ],
  },
  {
    channels: 512,
    stride: 2,
    blocks: [
      ...[...times(4, extraDw(5, 5)), convNext(5), extraDw(5, 3), ...times(2, convNext(5))],
      ...[extraDw(5, 3), extraDw(5, 5), ...times(4, attention(8, 64, 1), convNext(5))],
    ],
  },
  last,
];
