import { iou } from '@convkit/core/detection';
import type { DetectionLabels } from '@convkit/core/train';
import type { YoloConfig } from '../darknet/config.js';

/** What the R = h · w · anchors rows of a `[yolo]` map should say, for N images; all [N, R, …] on the host. */
export interface YoloTargets {
  /** [N, R, 2]: the object's centre within its cell, 0 … 1. */
  readonly centres: Float32Array;
  /** [N, R, 2]: log of the object's size over the anchor's. */
  readonly sizes: Float32Array;
  /** [N, R, 4]: the object's corners in pixels; a unit box where there is none. */
  readonly boxes: Float32Array;
  /** [N, R, 1]: 2 − the object's part of the image's area, so that small objects count more; 0 without an object. */
  readonly scales: Float32Array;
  /** [N, R, 1]: 1 where there is an object. */
  readonly objects: Float32Array;
  /** [N, R, 1]: 0 where nothing is asked of the objectness, since the row's box overlaps an object that is not its own. */
  readonly counted: Float32Array;
  /** [N, R, classes] */
  readonly classes: Float32Array;
}

/**
 * Gives each object to one row: the cell of its centre, the anchor whose shape overlaps the object's most. Only the head whose `mask`
 * has that anchor gets the object; with `iou_thresh`, further anchors of the mask that overlap it more than that get it too. A row that
 * several objects claim is the last one's, with the classes of all (Redmon and Farhadi 2018, arXiv:1804.02767). `predicted`: the
 * corners [N, R, 4] that the net says, in pixels.
 */
export function yoloTargets(config: YoloConfig, stride: number, predicted: Float32Array, labels: DetectionLabels): YoloTargets {
  const { mask, classes, ignoreThreshold } = config;
  const [height, width] = labels.inputSize;
  const [h, w] = [height / stride, width / stride];
  const rows = h * w * mask.length;
  const make = (values: number): Float32Array => new Float32Array(labels.length * rows * values);
  const targets = {
    centres: make(2),
    sizes: make(2),
    boxes: make(4).map((_, i) => (i % 4 < 2 ? 0 : 1)),
    scales: make(1),
    objects: make(1),
    counted: make(1).fill(1),
    classes: make(classes),
  };
  for (const [image, { boxes, classes: own }] of labels.objects.entries()) {
    const objects = Array.from(own, (label, i) => ({ label, box: boxes.subarray(i * 4, i * 4 + 4) }));
    for (let row = image * rows; row < (image + 1) * rows; row++) {
      const box = predicted.subarray(row * 4, row * 4 + 4);
      if (objects.some((object) => iou(box, object.box) > ignoreThreshold)) targets.counted[row] = 0;
    }
    for (const { label, box } of objects) {
      const [x, y] = [(box[0] + box[2]) / 2 / stride, (box[1] + box[3]) / 2 / stride];
      const size = [box[2] - box[0], box[3] - box[1]] as const;
      if (!(size[0] > 0 && size[1] > 0)) continue; // nothing to find
      const cell = [Math.min(w - 1, Math.floor(x)), Math.min(h - 1, Math.floor(y))];
      for (const anchor of anchorsFor(config, size)) {
        const row = image * rows + (cell[1] * w + cell[0]) * mask.length + mask.indexOf(anchor);
        targets.centres.set([x - cell[0], y - cell[1]], row * 2);
        targets.sizes.set(
          size.map((side, axis) => Math.log(side / config.anchors[anchor][axis])),
          row * 2,
        );
        targets.boxes.set(box, row * 4);
        targets.scales[row] = 2 - (size[0] / width) * (size[1] / height);
        targets.objects[row] = 1;
        targets.counted[row] = 1;
        targets.classes[row * classes + label] = 1;
      }
    }
  }
  return targets;
}

/** The anchors of this head that are to find an object of this size. */
function anchorsFor({ anchors, mask, loss }: YoloConfig, [width, height]: readonly [number, number]): number[] {
  const overlaps = anchors.map(([w, h]) => {
    const shared = Math.min(w, width) * Math.min(h, height);
    return shared / (w * h + width * height - shared);
  });
  const best = overlaps.indexOf(Math.max(...overlaps));
  return mask.filter((anchor) => anchor === best || overlaps[anchor] > loss.anchorThreshold);
}
