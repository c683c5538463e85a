import { selectBackend } from '@convkit/core';
import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DetectionConfig, RegionConfig, YoloConfig } from './config.js';
import { decodeDetection, decodeRegion, decodeYolo } from './decode.js';
import { parseConfig } from './parse-config.js';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const head = <T>(text: string): T => parseConfig(`[net]\n[upsample]\n${text}`).layers[1] as T;
const values = (t: Tensor): number[] => [...t.dataSync()];
const close = (found: readonly number[], expected: readonly number[]): void => {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => expect(found[i], `value ${i}`).toBeCloseTo(value, 3));
};
/** A map [1, 1, 2, channels] whose second cell says `cell`, and whose first says zeros. */
const map = (cell: readonly number[]): Tensor => tensor([...cell.map(() => 0), ...cell], [1, 1, 2, cell.length]);

beforeAll(() => selectBackend('cpu'));

describe('what maps mean', () => {
  const anchors = '[yolo]\nmask=1\nanchors=10,20, 30,40\nclasses=2\n';

  test('[yolo]: the cell and its logistic offset, the anchor and an exponential, objectness times class', () => {
    tidy(() => {
      const { boxes, scores } = decodeYolo(map([0.5, -1, 0.2, -0.3, 2, 1, -1]), head<YoloConfig>(anchors), 16);
      const [x, y, w, h] = [(1 + sigmoid(0.5)) * 16, sigmoid(-1) * 16, 30 * Math.exp(0.2), 40 * Math.exp(-0.3)];
      close(values(boxes), [8 - 15, 8 - 20, 8 + 15, 8 + 20, x - w / 2, y - h / 2, x + w / 2, y + h / 2]);
      close(values(scores), [0.25, 0.25, sigmoid(2) * sigmoid(1), sigmoid(2) * sigmoid(-1)]);
    });
  });

  test('[yolo] with scale_x_y: the offset reaches beyond the cell', () => {
    tidy(() => {
      const { boxes } = decodeYolo(map([0.5, -1, 0, 0, 0, 0, 0]), head<YoloConfig>(`${anchors}scale_x_y=1.2`), 16);
      const centre = [(1 + 1.2 * sigmoid(0.5) - 0.1) * 16, (1.2 * sigmoid(-1) - 0.1) * 16];
      close(values(boxes).slice(4), [centre[0] - 15, centre[1] - 20, centre[0] + 15, centre[1] + 20]);
    });
  });

  test('[yolo] with new_coords: the net gives the logistic values, sizes are (2s)² anchors', () => {
    tidy(() => {
      const config = head<YoloConfig>(`${anchors}scale_x_y=2.0\nnew_coords=1`);
      const { boxes, scores } = decodeYolo(map([0.7, 0.2, 0.6, 0.5, 0.9, 0.8, 0.1]), config, 16);
      const [x, y, w, h] = [(1 + 2 * 0.7 - 0.5) * 16, (2 * 0.2 - 0.5) * 16, 30 * 1.2 ** 2, 40];
      close(values(boxes).slice(4), [x - w / 2, y - h / 2, x + w / 2, y + h / 2]);
      close(values(scores).slice(2), [0.72, 0.09]);
    });
  });

  test('[region]: anchors in cells, and a softmax over the classes where the file asks for it', () => {
    tidy(() => {
      const cell = [0, 0, 0.1, 0.2, 1, 2, 0];
      const text = '[region]\nanchors=1,2\nclasses=2\nnum=1\n';
      const { boxes, scores } = decodeRegion(map(cell), head<RegionConfig>(`${text}softmax=1`), 32);
      const [w, h] = [32 * Math.exp(0.1), 64 * Math.exp(0.2)];
      close(values(boxes).slice(4), [48 - w / 2, 16 - h / 2, 48 + w / 2, 16 + h / 2]);
      const share = Math.exp(2) / (Math.exp(2) + 1);
      close(values(scores).slice(2), [sigmoid(1) * share, sigmoid(1) * (1 - share)]);
      close(values(decodeRegion(map(cell), head<RegionConfig>(text), 32).scores).slice(2), [
        sigmoid(1) * sigmoid(2),
        sigmoid(1) * 0.5,
      ]);
    });
  });

  test('[detection]: classes of all cells, then confidences, then boxes with roots of sizes in parts of the image', () => {
    tidy(() => {
      const config = head<DetectionConfig>('[detection]\nclasses=2\nside=2\nnum=1\nsqrt=1');
      const classes = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
      const confidences = [1, 0.5, 0.25, 0.1];
      const boxes = Array.from({ length: 4 }, () => [0.5, 0.25, 0.5, 0.2]).flat();
      const net = tensor([...classes, ...confidences, ...boxes], [1, 1, 1, 28]);
      const found = decodeDetection(net, config, [100, 200]);
      close(values(found.scores), [0.1, 0.2, 0.15, 0.2, 0.125, 0.15, 0.07, 0.08]);
      const [x, y, w, h] = [50, 12.5, 50, 4];
      const at = (dx: number, dy: number): number[] => [x + dx - w / 2, y + dy - h / 2, x + dx + w / 2, y + dy + h / 2];
      close(values(found.boxes), [...at(0, 0), ...at(100, 0), ...at(0, 50), ...at(100, 50)]);
    });
  });
});
