import { ArgumentError, type Context, FormatError, Module, ShapeError, runGraph } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { type DarknetConfig, type HeadConfig, isHead } from './config.js';
import { type Layer, buildLayer } from './layers.js';
import type { MapShape } from './shapes.js';

/** A layer that means boxes. */
export interface Head {
  /** Its number in the `.cfg` file. */
  readonly index: number;
  readonly config: HeadConfig;
  /** Pixels of the net's input to a cell. */
  readonly stride: number;
}

/**
 * The layers of a `.cfg` file, as a net: x [N,H,W,channels], 0 … 1 → the inputs of its heads `[yolo]`, `[region]` and `[detection]`, as the
 * layers before them give them, or the logits of its last layer. Weights are named `{i}.conv_{i}.weight`, `{i}.batch_norm_{i}.bias` ….
 *
 * Throws FormatError, with line and layer, for layers that do not fit together, and for those that are not supported.
 */
export class DarknetNetwork extends Module<Tensor[]> {
  /** In the order of the file. */
  readonly layers: readonly Layer[];
  readonly heads: readonly Head[];
  /** Height and width of the input must be multiples of this. */
  readonly stride: number;
  /** True where layers see the whole image, so that the size of the input is part of the weights. */
  readonly fixedSize: boolean;
  /** Of the file, or as asked for. */
  readonly input: MapShape;
  readonly #outputs: readonly number[];

  /** `size` [height, width] is that of the input; default: the file's. */
  constructor({ net, layers }: DarknetConfig, size?: readonly [height: number, width: number]) {
    super();
    // first what needs no size: nets of other kinds may lack one
    layers.forEach((layer, i) => layer.kind === 'unsupported' && buildLayer(layer, i, {}, net.program));
    const [height, width] = size ?? [net.height, net.width];
    if (height === undefined || width === undefined) {
      throw new FormatError(`line ${net.line}, section [net]: the options width and height are missing.`);
    }
    this.input = { height, width, channels: net.channels, stride: 1 };
    const shapes: Record<number, MapShape> = { [-1]: this.input };
    this.layers = layers.map((config, i) => {
      const layer = buildLayer(config, i, shapes, net.program);
      shapes[i] = layer.shape;
      return layer;
    });
    this.heads = this.layers.flatMap(({ config, shape }, index) =>
      isHead(config) ? [{ index, config, stride: shape.stride }] : [],
    );
    this.fixedSize = layers.some(({ kind }) => kind === 'connected' || kind === 'local');
    const onMaps = this.heads.some(({ config }) => config.kind !== 'detection');
    this.stride = onMaps ? Math.max(...this.layers.map(({ shape }) => shape.stride)) : 1;
    this.checkSize([height, width]);
    if (layers.length === 0) throw new FormatError(`line ${net.line}: the file has no layers after [net].`);
    const softmax = layers.findIndex(
      ({ kind }, i) => kind === 'softmax' && layers.slice(i + 1).some((next) => next.kind !== 'cost'),
    );
    if (softmax >= 0)
      throw new FormatError(`line ${layers[softmax].line}: layer ${softmax} [softmax] is supported as the last one only.`);
    this.#outputs = this.heads.length > 0 ? this.heads.map(({ index }) => index) : [layers.length - 1];
  }

  override parts(): [string, Module][] {
    return this.layers.flatMap(({ weighted }, i) => (weighted ? [[String(i), weighted]] : []));
  }

  forward(x: Tensor, ctx: Context): Tensor[] {
    return this.trace(x, ctx, this.#outputs);
  }

  /** What layers give, by their numbers; the tensors are the caller's. */
  trace(x: Tensor, ctx: Context, layers: readonly number[]): Tensor[] {
    const [, height, width, channels] = x.shape;
    if (x.rank !== 4 || channels !== this.input.channels) {
      throw new ShapeError(`The net takes images [N, H, W, ${this.input.channels}], found [${x.shape}].`);
    }
    this.checkSize([height, width]);
    return runGraph(ctx, x, this.layers, layers);
  }

  /** Throws ArgumentError for a size of input that the net cannot take. */
  checkSize([height, width]: readonly [height: number, width: number]): void {
    const own = this.input;
    if (this.fixedSize && (height !== own.height || width !== own.width)) {
      throw new ArgumentError(
        `The net has layers that see the whole image: it takes ${own.height}×${own.width}, not ${height}×${width}.`,
      );
    }
    if (height % this.stride === 0 && width % this.stride === 0) return;
    throw new ArgumentError(`The net takes a height and width that are multiples of ${this.stride}, not ${height}×${width}.`);
  }
}
