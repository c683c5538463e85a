import { expect, test } from 'vitest';
import { accuracy } from './accuracy.js';
import { confusionMatrix } from './confusion.js';
import type { Metric } from './metric.js';

function feed(metric: Metric, rows: number[][], labels: number[]): Metric {
  metric.update({ logits: Float32Array.from(rows.flat()), classes: rows[0].length, labels: Int32Array.from(labels) });
  return metric;
}

test('accuracy counts the label among the k highest logits over all batches', () => {
  const metric = accuracy({ topk: [1, 2] });
  feed(metric, [[3, 2, 1], [1, 3, 2]], [0, 0]); // prettier-ignore
  feed(metric, [[1, 2, 3], [1, 2, 3]], [1, 1]); // prettier-ignore
  expect(metric.result()).toEqual({ top1: 1 / 4, top2: 3 / 4 });
});

test('of equal logits the first wins', () => {
  expect(feed(accuracy(), [[5, 5, 1], [5, 5, 1]], [0, 1]).result().top1).toBe(0.5); // prettier-ignore
});

test('a NaN is never right and pushes the others down', () => {
  expect(feed(accuracy(), [[NaN, NaN, NaN]], [0]).result().top1).toBe(0);
  expect(feed(accuracy({ topk: [1, 2] }), [[NaN, 2, 1]], [1]).result()).toEqual({ top1: 0, top2: 1 });
});

test('a k that is not below the number of classes is left out', () => {
  expect(Object.keys(feed(accuracy(), [[1, 2, 3]], [0]).result())).toEqual(['top1']);
  expect(Object.keys(feed(accuracy(), [[1, 2, 3, 4, 5, 6]], [0]).result())).toEqual(['top1', 'top5']);
  expect(() => accuracy({ topk: [0] })).toThrow('found 0');
});

test('a metric goes on from its state, and a fresh one starts at zero', () => {
  for (const metric of [accuracy(), confusionMatrix(['a', 'b', 'c'])]) {
    feed(metric, [[3, 2, 1], [1, 3, 2]], [0, 0]); // prettier-ignore
    const other = metric.fresh();
    expect(Object.values(other.result())[0] ?? NaN).toBeNaN();
    other.load(JSON.parse(JSON.stringify(metric.state())) as number[]);
    feed(metric, [[0, 1, 2]], [2]);
    feed(other, [[0, 1, 2]], [2]);
    expect(other.result()).toEqual(metric.result());
    expect(other.state()).toEqual(metric.state());
  }
});

test('the confusion matrix counts labels by row and predictions by column', () => {
  const matrix = confusionMatrix(['cat', 'dog', 'eel']);
  feed(matrix, [[9, 1, 0], [1, 9, 0], [9, 1, 0], [NaN, 1, 0]], [0, 0, 1, 1]); // prettier-ignore
  const report = JSON.parse(JSON.stringify(matrix)) as ReturnType<typeof matrix.toJSON>;
  expect(report.counts).toEqual([[1, 1, 0], [1, 0, 0], [0, 0, 0]]); // prettier-ignore
  expect(report.unpredicted).toEqual([0, 1, 0]);
  expect(report.perClass[0]).toEqual({ name: 'cat', precision: 0.5, recall: 0.5, f1: 0.5, images: 2 });
  expect(report.perClass[1]).toEqual({ name: 'dog', precision: 0, recall: 0, f1: 0, images: 2 });
  expect(matrix.result()).toEqual({ macroF1: 0.25 });
  expect(() => feed(matrix, [[1, 2]], [0])).toThrow('has 3 classes, but the model gives 2 logits');
});
