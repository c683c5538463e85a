import { type Tensor, tidy } from '@tensorflow/tfjs-core';
import { Mean, type Metric } from '../metrics/metric.js';
import type { Module } from '../module.js';
import { predict } from '../predict.js';
import type { BatchSource, Labels } from './batch.js';
import { type Loss, crossEntropy } from './losses.js';
import { now, yieldToEventLoop } from './event-loop.js';
import { type LogitsOf, outputTensor, toTensor } from './tensors.js';

export interface EvaluateOptions<Output = Tensor, L extends Labels = Int32Array> {
  /** Default: cross entropy without smoothing. */
  readonly loss?: Loss<Output, L>;
  /** Start anew; read them afterwards for more than their figures. */
  readonly metrics?: readonly Metric<L>[];
  /** What the metrics look at; needed if the model's output is not one tensor. */
  readonly logits?: LogitsOf<Output>;
  /** Told of images done, after each batch; it is waited for. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void | Promise<void>;
  /** When aborted, the evaluation throws the signal's reason after the batch at hand. */
  readonly signal?: AbortSignal;
}

/** `loss` and the figures of the metrics (`top1` …) over all images, and the time that it took. */
export type Scores = { loss: number; images: number; seconds: number; imagesPerSecond: number } & Record<string, number>;

/** Runs a model over a source in evaluation mode. The loss is the mean over the images; it may come out as NaN. */
export async function evaluate<Output = Tensor, L extends Labels = Int32Array>(
  model: Module<Output>,
  source: BatchSource<L>,
  options: EvaluateOptions<Output, L> = {},
): Promise<Scores> {
  const {
    loss = crossEntropy() as unknown as Loss<Output, L>,
    metrics = [],
    logits = outputTensor,
    onProgress,
    signal,
  } = options;
  const start = now();
  const mean = new Mean();
  for (const metric of metrics) metric.load(metric.fresh().state());
  for await (const batch of source.epoch({ epoch: 0, seed: 0 })) {
    signal?.throwIfAborted();
    const [value, scores] = tidy((): [Tensor, Tensor] => {
      const output = predict(model, toTensor(batch));
      return [loss(output, batch.labels), logits(output)];
    });
    try {
      const [[batchLoss], values] = await Promise.all([value.data(), scores.data()]);
      mean.add(batchLoss, batch.labels.length);
      const seen = { logits: values as Float32Array, classes: scores.shape.at(-1) ?? 1, labels: batch.labels };
      for (const metric of metrics) metric.update(seen);
    } finally {
      value.dispose();
      scores.dispose();
    }
    await onProgress?.({ done: mean.weight, total: source.size });
    await yieldToEventLoop();
  }
  const seconds = (now() - start) / 1000;
  const figures = Object.assign({}, ...metrics.map((metric) => metric.result())) as Record<string, number>;
  return { loss: mean.value, ...figures, images: mean.weight, seconds, imagesPerSecond: mean.weight / seconds };
}
