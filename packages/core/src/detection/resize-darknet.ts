const float32 = Math.fround;

/** A picture of floats: [height, width, 3], row by row. */
export interface FloatImage {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** A rectangle of a net's input that a resized image fills. */
export interface Window {
  readonly values: Float32Array;
  /** Of the whole input, in pixels. */
  readonly stride: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Darknet's `resize_image`: bilinear in float32 with the corners aligned, x = x' · (W − 1) / (W' − 1); the last row takes
 * (1 − share) of one row alone, as there. Writes [height, width, 3] into the window.
 */
export function resizeDarknet(image: FloatImage, window: Window): void {
  const { width: imageWidth, height: imageHeight } = image;
  const { values, stride, left, top, width, height } = window;
  const columns = positions(imageWidth, width);
  const rows = positions(imageHeight, height);
  let upper = { row: -1, values: new Float32Array(width * 3) };
  let lower = { row: -1, values: new Float32Array(width * 3) };
  const take = (into: typeof upper, row: number): Float32Array => {
    if (into.row !== row)
      resizeRow(image.values.subarray(row * imageWidth * 3, (row + 1) * imageWidth * 3), columns, into.values);
    into.row = row;
    return into.values;
  };
  for (let y = 0; y < height; y++) {
    const { cell, part } = rows[y];
    if (cell === lower.row) [upper, lower] = [lower, upper];
    const above = take(upper, cell);
    const weight = float32(1 - part);
    const to = ((y + top) * stride + left) * 3;
    for (let i = 0; i < above.length; i++) values[to + i] = weight * above[i];
    if (y === height - 1 || imageHeight === 1) continue;
    const below = take(lower, cell + 1);
    for (let i = 0; i < below.length; i++) values[to + i] += float32(part * below[i]);
  }
}

function resizeRow(row: Float32Array, columns: readonly Position[], to: Float32Array): void {
  const last = row.length - 3;
  for (let x = 0, i = 0; x < columns.length; x++, i += 3) {
    const { cell, part } = columns[x];
    const end = x === columns.length - 1 || last === 0;
    const weight = float32(1 - part);
    for (let channel = 0; channel < 3; channel++) {
      if (end) to[i + channel] = row[last + channel];
      else {
        const a = cell * 3 + channel;
        to[i + channel] = float32(weight * row[a]) + float32(part * row[a + 3]);
      }
    }
  }
}

interface Position {
  readonly cell: number;
  readonly part: number;
}

function positions(size: number, newSize: number): Position[] {
  const scale = newSize > 1 ? float32((size - 1) / (newSize - 1)) : 0;
  return Array.from({ length: newSize }, (_, i) => {
    const at = float32(i * scale);
    const cell = Math.trunc(at);
    return { cell, part: float32(at - cell) };
  });
}
