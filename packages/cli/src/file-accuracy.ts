import { type Classifier, predict } from '@convkit/core';
import { accuracy } from '@convkit/core/train';
import { type Dataset, loader } from '@convkit/datasets';
import type { OpenFile } from '@convkit/onnx';
import { type Tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { evaluationProgress } from './commands/eval.js';
import { UsageError } from './errors.js';
import type { Progress } from './progress.js';

/** Shares of images whose class came first. */
export interface Accuracies {
  readonly images: number;
  readonly net: number;
  readonly file: number;
}

/** Which share of the images a net names right, and which its file in ONNX Runtime; the file is disposed. */
export async function compareAccuracy(net: Classifier, file: OpenFile, data: Dataset, progress: Progress): Promise<Accuracies> {
  try {
    const classes = net.classes.length;
    if (classes !== data.classes.length) {
      throw new UsageError(`the weights know ${classes} classes, but ${data.name} has ${data.classes.length}`);
    }
    const [ofNet, ofFile] = [accuracy({ topk: [1] }), accuracy({ topk: [1] })];
    const onProgress = evaluationProgress(progress, 'comparing');
    let images = 0;
    const batches = loader(data, { batchSize: 128, preprocessing: net.preprocessing });
    for await (const { images: values, shape, labels } of batches.epoch({ epoch: 0, seed: 0 })) {
      tidy(() => {
        const x = tensor4d(values, shape);
        ofNet.update({ logits: predict<Tensor>(net, x).dataSync() as Float32Array, classes, labels });
        ofFile.update({ logits: file.run(x, ['logits']).logits.values, classes, labels });
      });
      onProgress({ done: (images += labels.length), total: data.length });
    }
    return { images, net: ofNet.result().top1, file: ofFile.result().top1 };
  } finally {
    progress.end();
    file.dispose();
  }
}
