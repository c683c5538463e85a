// What timm's MobileNets share: convolutions and classifiers with the starting values of TensorFlow's implementations.
import { Conv2d, type Conv2dOptions, Linear, kaimingNormal, uniformInit, zeros } from '@convkit/core';

/** N(0, 2 / fan out); the outputs that one input of a depthwise convolution reaches are its k² taps. */
export const conv = (cin: number, cout: number, kernel: number, options: Omit<Conv2dOptions, 'bias' | 'groups'>) =>
  new Conv2d(cin, cout, kernel, { init: kaimingNormal({ mode: 'out' }), ...options, bias: false });

export const depthwise = (channels: number, kernel: number, options: Omit<Conv2dOptions, 'bias' | 'groups'>) =>
  new Conv2d(channels, channels, kernel, { init: kaimingNormal({ mode: 'in' }), ...options, groups: channels, bias: false });

export const linear = (features: number, numClasses: number) =>
  new Linear(features, numClasses, { init: uniformInit({ bound: 1 / Math.sqrt(numClasses) }), biasInit: zeros });
