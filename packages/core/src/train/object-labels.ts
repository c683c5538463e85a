/** The objects of one image as a loss takes them, in pixels of the net's input. n may be 0. */
export interface ObjectLabels {
  /** n × 4 corners x1, y1, x2, y2 */
  readonly boxes: Float32Array;
  /** n indices into the classes */
  readonly classes: Int32Array;
  /** n × K × 3: x, y and visibility (0 not labelled, 1 hidden, 2 visible) of K joints each */
  readonly keypoints?: Float32Array;
  /** Which object covers a pixel, at a quarter of the resolution, [H/4, W/4]: 0 none, i + 1 the i-th; the smallest lies on top. */
  readonly mask?: Uint16Array;
}

/** What is known of the images of a batch: one entry an image. */
export interface DetectionLabels {
  /** Images. */
  readonly length: number;
  /** Of the net's input, in pixels. */
  readonly inputSize: readonly [height: number, width: number];
  readonly objects: readonly ObjectLabels[];
}
