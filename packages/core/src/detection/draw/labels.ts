/** A rectangle on the canvas, in its pixels. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Of a label, the share that others may hide; where every place hides more, it is left out. */
const MOST_HIDDEN = 0.15;

/**
 * Where the label of a box goes: at a corner, outside of the box before inside, where it lies in the picture and hides the
 * least of the labels that are there. Undefined when every place would hide too much.
 */
export function placeLabel(
  box: Rectangle,
  label: { readonly width: number; readonly height: number },
  picture: { readonly width: number; readonly height: number },
  taken: readonly Rectangle[],
): Rectangle | undefined {
  const { width, height } = label;
  const right = box.x + box.width - width;
  const bottom = box.y + box.height;
  const corners = [
    [box.x, box.y - height],
    [box.x, box.y],
    [box.x, bottom],
    [box.x, bottom - height],
    [right, box.y - height],
    [right, box.y],
    [right, bottom],
    [right, bottom - height],
  ];
  let best: Rectangle | undefined;
  let least = MOST_HIDDEN * width * height;
  for (const [left, top] of corners) {
    const x = Math.max(0, Math.min(left, picture.width - width));
    const place = { x, y: top, width, height };
    if (top < 0 || top + height > picture.height) continue;
    const hidden = taken.reduce((sum, other) => sum + common(place, other), 0);
    if (hidden === 0) return place;
    if (hidden < least) [best, least] = [place, hidden];
  }
  return best;
}

function common(a: Rectangle, b: Rectangle): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}
