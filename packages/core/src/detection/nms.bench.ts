import { bench } from 'vitest';
import { unit } from './goldens.test-util.js';
import { nonMaxSuppression } from './nms.js';

const count = 8400;
const u = unit('bench', count * 4);
const boxes = Float32Array.from({ length: count * 4 }, (_, i) => {
  const at = i - (i % 4);
  const corner = 320 + 300 * u[at + (i % 2)];
  return i % 4 < 2 ? corner : corner + 40 + 30 * u[at + (i % 4)];
});
const uniform = Float32Array.from(unit('scores', count * 80), (s) => (s + 1) / 2);
/** As a net gives them: few are sure. */
const rare = uniform.map((s) => s ** 40);

const rules = { confidence: 0.25, iou: 0.7, maxDetections: 300 };
bench('80 × 8,400, few sure, confidence 0.25', () => void nonMaxSuppression({ boxes, scores: rare }, 80, rules));
bench('80 × 8,400, few sure, every label above 0.001', () => {
  nonMaxSuppression({ boxes, scores: rare }, 80, { ...rules, confidence: 0.001, multiLabel: true });
});
bench('80 × 8,400, all boxes sure, confidence 0.25', () => void nonMaxSuppression({ boxes, scores: uniform }, 80, rules));
bench('80 × 8,400, all boxes sure, no limit of detections', () => {
  nonMaxSuppression({ boxes, scores: uniform }, 80, { ...rules, maxDetections: Infinity });
});
bench('80 × 8,400, every label above 0.001 of uniform scores', () => {
  nonMaxSuppression({ boxes, scores: uniform }, 80, { ...rules, confidence: 0.001, multiLabel: true });
});
