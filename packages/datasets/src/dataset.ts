import type { Image } from '@convkit/core';

/** Labelled images that can be reached by their index. */
export interface Dataset {
  readonly name: string;
  /** Name of each class, in the order of the labels */
  readonly classes: readonly string[];
  readonly length: number;
  /** The class of image `i`, in 0 … classes.length − 1. */
  label(i: number): number;
  image(i: number): Image | Promise<Image>;
  /** What a message calls image `i`; a path, where it has one. */
  describe?(i: number): string;
  /** Present when all images are in memory, in one size: the loader then copies pixels without making an `Image`. */
  readonly packed?: PackedImages;
}

/** Images of one size in one array: image `i` begins at `i * stride + offset` with its red plane, then green, then blue. */
export interface PackedImages {
  readonly bytes: Uint8Array;
  readonly stride: number;
  readonly offset: number;
  readonly width: number;
  readonly height: number;
}

/** The images of `dataset` at these indices, in this order. */
export function subset(dataset: Dataset, indices: ArrayLike<number>, name = dataset.name): Dataset {
  const chosen = Uint32Array.from(indices);
  return {
    name,
    classes: dataset.classes,
    length: chosen.length,
    label: (i) => dataset.label(chosen[i]),
    image: (i) => dataset.image(chosen[i]),
    describe: (i) => dataset.describe?.(chosen[i]) ?? `image ${chosen[i]}`,
  };
}
