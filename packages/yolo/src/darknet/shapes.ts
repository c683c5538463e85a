/** What a layer gives for one image. */
export interface MapShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Pixels of the net's input to a pixel of the map; 0 where it is no map any more. */
  readonly stride: number;
}

/** No map any more: one value for each channel. */
export const flat = (channels: number): MapShape => ({ height: 1, width: 1, channels, stride: 0 });
/** Values of one image. */
export const count = ({ height, width, channels }: MapShape): number => height * width * channels;
/** `13×13×512`, as errors say it. */
export const size = ({ height, width, channels }: MapShape): string => `${height}×${width}×${channels}`;

/** What windows over a map give; `padding` is that of both sides together. */
export function windows(
  input: MapShape,
  span: number,
  [y, x]: readonly [number, number],
  padding: number,
  channels: number,
): MapShape {
  const along = (length: number, stride: number): number => Math.floor((length + padding - span) / stride) + 1;
  return { height: along(input.height, y), width: along(input.width, x), channels, stride: input.stride * Math.max(y, x) };
}
