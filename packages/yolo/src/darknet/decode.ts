import { add, concat, exp, flatten, mul, reshape, sigmoid, sliceChannels, softmax } from '@convkit/core';
import { affine } from '@convkit/core';
import type { Proposals } from '@convkit/core/detection';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { DetectionConfig, RegionConfig, YoloConfig } from './config.js';
import type { Head } from './network.js';

/** What the maps of all heads mean, in the order of the heads. `size` [height, width] is that of the net's input. */
export function decodeHeads(maps: readonly Tensor[], heads: readonly Head[], size: readonly [number, number]): Proposals {
  const each = heads.map(({ config, stride }, i) => {
    if (config.kind === 'yolo') return decodeYolo(maps[i], config, stride);
    return config.kind === 'region' ? decodeRegion(maps[i], config, stride) : decodeDetection(maps[i], config, size);
  });
  if (each.length === 1) return each[0];
  return {
    boxes: concat(
      each.map(({ boxes }) => boxes),
      1,
    ),
    scores: concat(
      each.map(({ scores }) => scores),
      1,
    ),
  };
}

/**
 * A `[yolo]` map [N, h, w, A·(5 + C)] → h·w·A boxes, cell by cell (Redmon and Farhadi 2018, arXiv:1804.02767): with t what the net says,
 * (cx, cy) the cell and (aw, ah) the anchor,
 *
 *     x = (cx + s·σ(tx) − (s − 1)/2) · stride,   w = aw · e^tw,   score of class c = σ(to) · σ(tc)
 *
 * with s = scale_x_y (Bochkovskiy et al. 2020, arXiv:2004.10934). With new_coords the net gives σ itself, and w = aw · (2·σ(tw))²
 * (Wang et al. 2020, arXiv:2011.08036).
 */
export function decodeYolo(map: Tensor, { classes, mask, anchors, scaleXY, newCoords }: YoloConfig, stride: number): Proposals {
  const own = mask.map((i) => anchors[i]);
  const rows = anchorRows(map, own.length, 5 + classes);
  const [centre, size] = [sliceChannels(rows, 0, 2), sliceChannels(rows, 2, 2)];
  const objects = sliceChannels(rows, 4, 1);
  const labels = sliceChannels(rows, 5, classes);
  const on = newCoords ? (x: Tensor): Tensor => x : sigmoid;
  const grid = cells(map, own, scaleXY, stride, 1);
  return {
    boxes: corners(
      affine(on(centre), grid.scale, grid.offset, grid.shape),
      affine(newCoords ? mul(mul(size, size), 4) : exp(size), grid.anchor, grid.zero, grid.shape),
    ),
    scores: mul(on(objects), on(labels)),
  };
}

/** A `[region]` map, as `decodeYolo` but with anchors in cells, and a softmax over the classes (Redmon and Farhadi 2016, arXiv:1612.08242). */
export function decodeRegion(map: Tensor, { classes, anchors, softmax: exclusive }: RegionConfig, stride: number): Proposals {
  const rows = anchorRows(map, anchors.length, 5 + classes);
  const grid = cells(map, anchors, 1, stride, stride);
  const labels = sliceChannels(rows, 5, classes);
  return {
    boxes: corners(
      affine(sigmoid(sliceChannels(rows, 0, 2)), grid.scale, grid.offset, grid.shape),
      affine(exp(sliceChannels(rows, 2, 2)), grid.anchor, grid.zero, grid.shape),
    ),
    scores: mul(sigmoid(sliceChannels(rows, 4, 1)), exclusive ? softmax(labels) : sigmoid(labels)),
  };
}

/**
 * What a `[detection]` reads, S²·(C + 5·B) values: C class probabilities of each cell, then B confidences of each, then B boxes of each, x and
 * y in cells, √w and √h of the image (Redmon et al. 2015, arXiv:1506.02640).
 */
export function decodeDetection(map: Tensor, config: DetectionConfig, [height, width]: readonly [number, number]): Proposals {
  const { side, classes, num } = config;
  const count = side * side;
  const values = flatten(map);
  const n = values.shape[0];
  const part = (begin: number, shape: readonly number[]): Tensor =>
    reshape(
      sliceChannels(
        values,
        begin,
        shape.reduce((a, b) => a * b, 1),
      ),
      [n, ...shape],
    );
  const labels = part(0, [count, 1, classes]);
  const confidence = part(count * classes, [count, num, 1]);
  const boxes = part(count * (classes + num), [count * num, 4]);
  const size = sliceChannels(boxes, 2, 2);
  const pixels = [width, height];
  const offset = Float32Array.from({ length: count * num * 2 }, (_, i) => {
    const cell = Math.floor(i / (2 * num));
    return ((i % 2 === 0 ? cell % side : Math.floor(cell / side)) * pixels[i % 2]) / side;
  });
  const scale = Float32Array.from(offset, (_, i) => pixels[i % 2] / side);
  const shape = [1, count * num, 2];
  return {
    boxes: corners(
      affine(sliceChannels(boxes, 0, 2), scale, offset, shape),
      affine(config.sqrt ? mul(size, size) : size, pixels, [0, 0]),
    ),
    scores: reshape(mul(confidence, config.softmax ? softmax(labels) : labels), [n, count * num, classes]),
  };
}

/** [N, h, w, anchors·values] → [N, h·w·anchors, values] */
function anchorRows(map: Tensor, anchors: number, values: number): Tensor {
  const [n, h, w] = map.shape as [number, number, number];
  return reshape(map, [n, h * w * anchors, values]);
}

/** Constants for x, y and w, h of each row of `anchorRows`, all of `shape`; `unit` is the size of an anchor's unit in pixels. */
function cells(map: Tensor, anchors: readonly (readonly [number, number])[], scaleXY: number, stride: number, unit: number) {
  const [, h, w] = map.shape as [number, number, number];
  const shape = [1, h * w * anchors.length, 2];
  const make = (value: (cell: number, anchor: number, axis: 0 | 1) => number): Float32Array =>
    Float32Array.from({ length: shape[1] * 2 }, (_, i) =>
      value(Math.floor(i / (2 * anchors.length)), (i >> 1) % anchors.length, (i % 2) as 0 | 1),
    );
  const middle = (scaleXY - 1) / 2;
  return {
    shape,
    scale: make(() => scaleXY * stride),
    offset: make((cell, _, axis) => ((axis === 0 ? cell % w : Math.floor(cell / w)) - middle) * stride),
    anchor: make((_, anchor, axis) => anchors[anchor][axis] * unit),
    zero: make(() => 0),
  };
}

/** Centres and sizes [N, n, 2] → corners [N, n, 4]. */
function corners(centre: Tensor, size: Tensor): Tensor {
  const half = mul(size, 0.5);
  return concat([add(centre, mul(half, -1)), add(centre, half)]);
}
