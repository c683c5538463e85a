import { ArgumentError } from '@convkit/core';

/** Random changes of the training images of a detector, as data. The defaults are those that YOLOv8 was trained with. */
export interface DetectionAugmentation {
  /** Part of the images that are put together from four (Bochkovskiy et al. 2020, arXiv:2004.10934). Default 1 */
  readonly mosaic?: number;
  /** The last epochs of a run, which train on whole images. Default 10 */
  readonly closeMosaic?: number;
  /** Part of the mosaics that are blended with another (Zhang et al. 2018, arXiv:1710.09412). Default 0 */
  readonly mixup?: number;
  /** Shift by up to this part of the side, each way. Default 0.1 */
  readonly translate?: number;
  /** Size by a factor of 1 ± this. Default 0.5 */
  readonly scale?: number;
  /** Turn by up to so many degrees, each way. Default 0 */
  readonly degrees?: number;
  /** Shear by up to so many degrees, each way. Default 0 */
  readonly shear?: number;
  /** Part of the images that are mirrored left and right. Default 0.5 */
  readonly flip?: number;
  /** Change of hue, saturation and value by a factor of 1 ± these. Default 0.015, 0.7, 0.4 */
  readonly hsv?: readonly [hue: number, saturation: number, value: number];
  /** Sides from 1 − this to 1 + this of the input size, in steps of 32 pixels, drawn for each batch. Default 0 */
  readonly multiScale?: number;
  /** The joint that each becomes in a mirror; default: COCO's for 17 joints, else each itself. */
  readonly mirroredJoints?: readonly number[];
}

/** The joints of COCO in a mirror: left and right change places, the nose stays. */
const cocoMirror = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15];

/** All of an augmentation; throws ArgumentError for a figure that is out of range. */
export function completeAugmentation(given: DetectionAugmentation): Required<DetectionAugmentation> {
  const all = {
    ...{ mosaic: 1, closeMosaic: 10, mixup: 0, translate: 0.1, scale: 0.5, degrees: 0, shear: 0, flip: 0.5, multiScale: 0 },
    hsv: [0.015, 0.7, 0.4] as const,
    mirroredJoints: cocoMirror,
    ...given,
  };
  const ranges = { mosaic: 1, mixup: 1, translate: 1, scale: 0.99, degrees: 180, shear: 89, flip: 1, multiScale: 0.99 };
  for (const [name, most] of Object.entries(ranges) as [keyof typeof ranges, number][]) {
    if (!(all[name] >= 0 && all[name] <= most)) {
      throw new ArgumentError(`augmentation: expected ${name} in 0 … ${most}, found ${all[name]}`);
    }
  }
  if (!all.hsv.every((gain) => gain >= 0 && gain <= 1)) {
    throw new ArgumentError(`augmentation: expected hsv in 0 … 1, found ${all.hsv.join(', ')}`);
  }
  return all;
}
