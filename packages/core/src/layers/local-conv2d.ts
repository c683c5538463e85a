import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { biasUniform, kaimingUniform } from '../init.js';
import { Module, Parameter } from '../module.js';
import { type LocalConvOptions, localConv2d } from '../ops/local-conv2d.js';

/**
 * A convolution with weights of its own at every place, as YOLOv1's last one: [N, H, W, cin] → [N, H', W', cout]. The size of the input is
 * part of the layer: `weight` [H'·W', cout, cin·k·k] (the last axis over channel, row, column) and `bias` [cout, H', W'].
 */
export class LocalConv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #options: LocalConvOptions;

  constructor([h, w, cin]: readonly [height: number, width: number, channels: number], cout: number, options: LocalConvOptions) {
    super();
    const { kernel, stride, padding } = options;
    const [height, width] = [h, w].map((size) => Math.floor((size + 2 * padding - kernel) / stride) + 1) as [number, number];
    const taps = cin * kernel * kernel;
    const init = kaimingUniform({ a: Math.sqrt(5) });
    this.weight = new Parameter([height * width, cout, taps], {
      init: (values, _fan, random) => init(values, { in: taps, out: cout }, random),
    });
    this.bias = new Parameter([cout, height, width], { init: biasUniform(taps) });
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return localConv2d(x as Tensor4D, this.weight.value, this.bias.value, this.#options);
  }
}
