import { type Scalar, type Tensor, add, mul, reshape, scalar, slice, square, sub, sum, tensor } from '@tensorflow/tfjs-core';
import { ArgumentError } from '@convkit/core';
import type { DetectionLabels, Loss } from '@convkit/core/train';
import type { YoloConfig } from '../darknet/config.js';
import { decodeYolo } from '../darknet/decode.js';
import type { Head } from '../darknet/network.js';
import { binaryCrossEntropy, overlapOf } from './box-losses.js';
import { yoloTargets } from './darknet-targets.js';

/** The parts of a Darknet loss, each the mean over the images. */
export interface DarknetComponents {
  /** Localisation: where the objects are. */
  readonly box: Scalar;
  /** Confidence: is there an object? */
  readonly object: Scalar;
  /** Classification. */
  readonly class: Scalar;
}

/**
 * The loss of YOLOv3 and YOLOv4 (Redmon and Farhadi 2018, arXiv:1804.02767; Bochkovskiy et al. 2020, arXiv:2004.10934) over all
 * `[yolo]` heads of a net, as its `.cfg` file says: the sum of `darknetComponents`. Throws ArgumentError for nets with other heads.
 */
export function darknetLoss(heads: readonly Head[]): Loss<readonly Tensor[], DetectionLabels> {
  for (const head of heads) yoloOf(head);
  return (maps, labels) => {
    const parts = darknetComponents(maps, heads, labels);
    return add(add(parts.box, parts.object), parts.class);
  };
}

/**
 * box: cross entropy of σ(tx), σ(ty) and half the squared error of tw, th, times 2 − w · h of the image; or 1 − overlap, where the
 * file has an iou_loss. object: cross entropy of σ(to), where no box overlaps an object that is not its own by more than ignore_thresh.
 * class: cross entropy of each class where there is an object. These are the losses whose gradients Darknet computes. The objects
 * are assigned on the host, between the forward and the backward pass.
 */
export function darknetComponents(maps: readonly Tensor[], heads: readonly Head[], labels: DetectionLabels): DarknetComponents {
  const each = heads.map((head, i) => headComponents(maps[i], yoloOf(head), head.stride, labels));
  const total = (part: keyof DarknetComponents): Scalar =>
    each.reduce((sumSoFar, parts) => add<Scalar>(sumSoFar, parts[part]), scalar(0, 'float32'));
  return { box: total('box'), object: total('object'), class: total('class') };
}

function headComponents(map: Tensor, config: YoloConfig, stride: number, labels: DetectionLabels): DarknetComponents {
  const { classes, mask, scaleXY, loss } = config;
  const n = labels.length;
  const [images, h, w] = map.shape as [number, number, number, number];
  const [height, width] = labels.inputSize;
  if (images !== n || h * stride !== height || w * stride !== width) {
    throw new ArgumentError(
      `The labels are of ${n} images of ${width}×${height}; the net gave ${images} of ${w * stride}×${h * stride}.`,
    );
  }
  checkClasses(labels, classes);
  const count = h * w * mask.length;
  const rows = reshape(map, [n, count, 5 + classes]);
  const part = (from: number, size: number): Tensor => slice(rows, [0, 0, from], [-1, -1, size]);
  const { boxes } = decodeYolo(map, config, stride);
  const targets = yoloTargets(config, stride, boxes.dataSync() as Float32Array, labels);
  const constant = (values: Float32Array): Tensor => tensor(values, [n, count, values.length / (n * count)]);
  const objects = constant(targets.objects);
  const mean = (values: Tensor, gain: number): Scalar => mul<Scalar>(sum(values), gain / n);

  let box: Tensor;
  if (loss.boxes === 'mse') {
    const within = targets.centres.map((x) => Math.min(Math.max((x + (scaleXY - 1) / 2) / scaleXY, 0), 1));
    const centre = binaryCrossEntropy(part(0, 2), constant(within));
    const size = mul(square(sub(part(2, 2), constant(targets.sizes))), 0.5);
    box = mul(add(centre, size), constant(targets.scales));
  } else {
    box = mul(sub(1, overlapOf(boxes, constant(targets.boxes), loss.boxes)), objects);
  }
  return {
    box: mean(box, loss.weights.box),
    object: mean(mul(binaryCrossEntropy(part(4, 1), objects), constant(targets.counted)), loss.weights.object),
    class: mean(mul(binaryCrossEntropy(part(5, classes), constant(targets.classes)), objects), loss.weights.class),
  };
}

function yoloOf({ config, index }: Head): YoloConfig {
  if (config.kind === 'yolo' && !config.newCoords) return config;
  const what = config.kind === 'yolo' ? '[yolo] with new_coords' : `[${config.kind}]`;
  throw new ArgumentError(`Layer ${index}, line ${config.line}: ${what} can run but not train; [yolo] of YOLOv3 and YOLOv4 can.`);
}

function checkClasses({ objects }: DetectionLabels, numClasses: number): void {
  for (const [image, { classes }] of objects.entries()) {
    const wrong = classes.find((label) => !(label >= 0 && label < numClasses));
    if (wrong !== undefined) {
      throw new ArgumentError(`Image ${image} of the batch has an object of class ${wrong}; the net has 0 … ${numClasses - 1}.`);
    }
  }
}
