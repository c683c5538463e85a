// `node train.mjs [folder]`: trains ResNet-20 on the CIFAR-10 records in a folder, or on the embedded drawn shapes without one.
import { selectBackend } from '@convkit/core';
import { saveWeights } from '@convkit/core/node';
import { Trainer, accuracy, cosine, crossEntropy, sgd } from '@convkit/core/train';
import { loader, syntheticShapes } from '@convkit/datasets';
import { cifar10 } from '@convkit/datasets/node';
import { registerOnnx } from '@convkit/onnx';
import { resnet20 } from '@convkit/resnet';

const [dir] = process.argv.slice(2);
const [trainSet, testSet] = dir
  ? [await cifar10({ dir, split: 'train' }), await cifar10({ dir, split: 'test' })]
  : [syntheticShapes({ size: 2000, split: 'train' }), syntheticShapes({ size: 500, split: 'test' })];

registerOnnx(); // native speed on a CPU, for `selectBackend` to choose
console.log((await selectBackend()).reason);

const model = resnet20({ numClasses: trainSet.classes.length, classes: trainSet.classes });
const { preprocessing } = model;
const train = loader(trainSet, {
  batchSize: 64,
  shuffle: true,
  augment: { crop: { padding: 4 }, flip: dir !== undefined },
  preprocessing,
});
const test = loader(testSet, { batchSize: 250, preprocessing });

const trainer = new Trainer(model, {
  optimizer: sgd({ momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
  schedule: cosine({ peak: 0.1, warmupEpochs: 1 }),
  loss: crossEntropy(),
  metrics: [accuracy()],
});
await trainer.fit(train, {
  epochs: 3,
  validation: test,
  seed: 0,
  loggers: [{ epoch: ({ epoch, train, validation, seconds }) => console.log({ epoch, train, validation, seconds }) }],
});
await saveWeights('resnet20.safetensors', model, { preprocessing });
