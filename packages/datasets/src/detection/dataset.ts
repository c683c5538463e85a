import type { Image } from '@convkit/core';
import type { GroundTruth } from '@convkit/core/detection';

/** One image with what is known of the objects in it. */
export interface DetectionSample {
  /** COCO's image id; elsewhere the file's name without its extension */
  readonly id: number | string;
  readonly fileName: string;
  readonly image: Image;
  /** In pixels of `image`; may be empty */
  readonly objects: readonly GroundTruth[];
}

/** Images with annotated objects that can be reached by their index. */
export interface DetectionDataset {
  readonly name: string;
  /** Name of each class, in the order of the objects' `class` */
  readonly classes: readonly string[];
  readonly length: number;
  /** Of each image, in order; all different */
  readonly ids: readonly (number | string)[];
  /** What is known of image `i`, without decoding it. */
  objects(i: number): readonly GroundTruth[] | Promise<readonly GroundTruth[]>;
  load(i: number): Promise<DetectionSample>;
  /** What a user should know of the data: files that are not there, boxes without an area. */
  readonly notice?: string;
}
