export { imagenetColours, symmetricColours } from './image/colours.js';
export { centreCrop, crop, preprocess, preprocessSize } from './image/preprocess.js';
export { resize } from './image/resize.js';
export { toImage } from './image/input.js';
export type { Drawable, ImageInput, PixelRows } from './image/input.js';

/** A picture in memory: 8-bit RGB, row by row from the top, three bytes a pixel. */
export interface Image {
  /** RGB, row by row */
  pixels: Uint8Array;
  width: number;
  height: number;
}

/** How resized pixels are interpolated. Both widen their support when shrinking (antialiasing), as PIL does. */
export type Interpolation = 'bilinear' | 'bicubic';

/** What a checkpoint expects of its input; `mean` and `std` apply to pixels divided by 255. */
export interface Preprocessing {
  /** Size of the net's input, one number for a square or [height, width] */
  size: number | readonly [height: number, width: number];
  /** The shorter side is resized to this before the centre crop; absent: the image is resized to `size` directly */
  resize?: number;
  /** Default: 'bilinear' */
  interpolation?: Interpolation;
  mean: readonly [red: number, green: number, blue: number];
  std: readonly [red: number, green: number, blue: number];
}
