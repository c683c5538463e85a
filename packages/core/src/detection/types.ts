/** Corners of a box in pixels of the original image; the right and lower edge are not part of it. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** Outlines in pixels, each x1, y1, x2, y2, …: an object that others cut in pieces has several. */
export type Polygons = readonly (readonly number[])[];

/** A mask as the lengths of runs, column by column from the upper left, as COCO writes it: zeros first, then ones, in turn. */
export interface Rle {
  readonly size: readonly [height: number, width: number];
  readonly counts: readonly number[];
}

/** A joint, in pixels of the original image, and how sure the net is that it is visible, 0 … 1. */
export interface Keypoint {
  readonly x: number;
  readonly y: number;
  readonly score: number;
}

/** An object that a net found in an image. */
export interface Detection {
  /** Index of the class in the net's `classes`. */
  readonly class: number;
  readonly label: string;
  /** 0 … 1 */
  readonly score: number;
  readonly box: Box;
  /** Of the size of the original image; nets for segmentation give it. */
  readonly mask?: Rle;
  /** Nets for poses give them, in the data set's order. */
  readonly keypoints?: readonly Keypoint[];
}

/** What is known of one object in an image. */
export interface GroundTruth {
  /** Index of the class in the data set's `classes`. */
  readonly class: number;
  readonly box: Box;
  /** The box holds many objects of the class that nobody told apart. */
  readonly crowd?: boolean;
  /** Pixels of the object itself, where it is known; its size class in COCO's evaluation. */
  readonly area?: number;
  readonly segmentation?: Polygons | Rle;
  readonly keypoints?: readonly { readonly x: number; readonly y: number; readonly visibility: 0 | 1 | 2 }[];
  readonly id?: number;
  /** Neither finding nor missing it counts in an evaluation. */
  readonly ignore?: boolean;
}

/** What a net proposes for one image, before non-maximum suppression; n proposals in pixels of the net's input. */
export interface Candidates {
  /** n × 4 corners */
  readonly boxes: Float32Array;
  /** numClasses × n, 0 … 1: all scores of a class together */
  readonly scores: Float32Array;
  /** k × n numbers that come with a box: mask coefficients or keypoints. */
  readonly extras?: Float32Array;
}
