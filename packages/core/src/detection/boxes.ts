/** Corners x1, y1, x2, y2, in any unit. */
type Corners = ArrayLike<number>;

/** Keeps quotients finite, as the reference implementations do. */
const EPSILON = 1e-7;

const area = (box: Corners): number => (box[2] - box[0]) * (box[3] - box[1]);

function intersection(a: Corners, b: Corners): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Sides of the smallest box around both. */
const hull = (a: Corners, b: Corners): [width: number, height: number] => [
  Math.max(a[2], b[2]) - Math.min(a[0], b[0]),
  Math.max(a[3], b[3]) - Math.min(a[1], b[1]),
];

/** |A ∩ B| / |A ∪ B|, 0 … 1; 0 where both are empty. */
export function iou(a: Corners, b: Corners): number {
  const shared = intersection(a, b);
  const union = area(a) + area(b) - shared;
  return union > 0 ? shared / union : 0;
}

/** IoU − |C ∖ (A ∪ B)| / |C| with the hull C, −1 … 1 (Rezatofighi et al. 2019, arXiv:1902.09630). */
export function giou(a: Corners, b: Corners): number {
  const shared = intersection(a, b);
  const union = area(a) + area(b) - shared;
  const [width, height] = hull(a, b);
  const around = width * height;
  return (union > 0 ? shared / union : 0) - (around > 0 ? (around - union) / around : 0);
}

/** IoU − d² / c² of the distance d of the centres and the diagonal c of the hull (Zheng et al. 2020, arXiv:1911.08287). */
export function diou(a: Corners, b: Corners): number {
  const [width, height] = hull(a, b);
  const distance = ((a[0] + a[2] - b[0] - b[2]) ** 2 + (a[1] + a[3] - b[1] - b[3]) ** 2) / 4;
  return iou(a, b) - distance / (width ** 2 + height ** 2 + EPSILON);
}

/** DIoU − α v, v = 4/π² (atan w/h − atan w'/h')², α = v / (1 − IoU + v) (Zheng et al. 2020, arXiv:1911.08287). */
export function ciou(a: Corners, b: Corners): number {
  const angle = (box: Corners): number => Math.atan((box[2] - box[0]) / (box[3] - box[1] + EPSILON));
  const v = (4 / Math.PI ** 2) * (angle(a) - angle(b)) ** 2;
  return diou(a, b) - (v * v) / (1 - iou(a, b) + v + EPSILON);
}

/** Left, top, width, height, as COCO writes a box → corners. */
export const fromXywh = ([x, y, w, h]: readonly number[]): [number, number, number, number] => [x, y, x + w, y + h];

/** Corners → left, top, width, height. */
export const toXywh = ([x1, y1, x2, y2]: readonly number[]): [number, number, number, number] => [x1, y1, x2 - x1, y2 - y1];

/** Centre, width, height, as nets and YOLO's label files write a box → corners. */
export const fromCxcywh = ([x, y, w, h]: readonly number[]): [number, number, number, number] => [
  x - w / 2,
  y - h / 2,
  x + w / 2,
  y + h / 2,
];

/** Corners → centre, width, height. */
export const toCxcywh = ([x1, y1, x2, y2]: readonly number[]): [number, number, number, number] => [
  (x1 + x2) / 2,
  (y1 + y2) / 2,
  x2 - x1,
  y2 - y1,
];

/** Cuts a box off at the edges of an image. */
export function clipBox(
  [x1, y1, x2, y2]: readonly number[],
  { width, height }: { readonly width: number; readonly height: number },
): [number, number, number, number] {
  const clip = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
  return [clip(x1, width), clip(y1, height), clip(x2, width), clip(y2, height)];
}
