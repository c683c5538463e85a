import type { Image } from '@convkit/core';
import type { GroundTruth } from '@convkit/core/detection';

/** An image with its objects, in its own pixels. */
export interface DetectionSample {
  /** What an evaluation calls the image. */
  readonly id: number | string;
  readonly image: Image;
  readonly objects: readonly GroundTruth[];
  /** Path or name, for messages. */
  readonly fileName: string;
}

/** Images with boxes that can be reached by their index. */
export interface DetectionDataset {
  readonly name: string;
  readonly length: number;
  /** Name of each class, in the order of the labels. */
  readonly classes: readonly string[];
  /** Of each image, in order. */
  readonly ids: readonly (number | string)[];
  load(index: number): Promise<DetectionSample>;
  /** The objects of an image without decoding it, where that is possible. */
  objects?(index: number): readonly GroundTruth[];
  /** Width and height of an image without decoding it, where that is possible. */
  size?(index: number): { readonly width: number; readonly height: number };
  /** What a user should know of the data: boxes without an area, files that were left out. */
  readonly notice?: string;
}
