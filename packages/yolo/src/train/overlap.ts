const EPS = 1e-7;

/**
 * Complete IoU of two boxes given as corners in flat arrays, from `i` and `j` on: IoU − ρ² / c² − α · v, where ρ is the distance
 * of the centres, c the diagonal of the box around both, v = 4 / π² · (atan(w₂ / h₂) − atan(w₁ / h₁))² and
 * α = v / (v − IoU + 1) (Zheng et al. 2020, arXiv:1911.08287), with YOLOv8's 1e-7 in heights and denominators.
 */
export function completeIou(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number): number {
  const [w1, h1, w2, h2] = [a[i + 2] - a[i], a[i + 3] - a[i + 1] + EPS, b[j + 2] - b[j], b[j + 3] - b[j + 1] + EPS];
  const width = Math.max(0, Math.min(a[i + 2], b[j + 2]) - Math.max(a[i], b[j]));
  const height = Math.max(0, Math.min(a[i + 3], b[j + 3]) - Math.max(a[i + 1], b[j + 1]));
  const shared = width * height;
  const iou = shared / (w1 * h1 + w2 * h2 - shared + EPS);
  const aroundX = Math.max(a[i + 2], b[j + 2]) - Math.min(a[i], b[j]);
  const aroundY = Math.max(a[i + 3], b[j + 3]) - Math.min(a[i + 1], b[j + 1]);
  const dx = (b[j] + b[j + 2] - a[i] - a[i + 2]) / 2;
  const dy = (b[j + 1] + b[j + 3] - a[i + 1] - a[i + 3]) / 2;
  const v = (4 / Math.PI ** 2) * (Math.atan(w2 / h2) - Math.atan(w1 / h1)) ** 2;
  return iou - (dx * dx + dy * dy) / (aroundX ** 2 + aroundY ** 2 + EPS) - (v * v) / (v - iou + 1 + EPS);
}
