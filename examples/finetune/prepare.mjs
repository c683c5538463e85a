// Makes what fine-tuning starts from, without a download: a net that knows seven kinds of drawn shapes (work/base.safetensors),
// and a folder with a few pictures of three kinds that it has never seen (work/pictures/train, work/pictures/val).
import { mkdirSync, rmSync } from 'node:fs';
import { selectBackend } from '@convkit/core';
import { saveWeights, writeImage } from '@convkit/core/node';
import { Trainer, accuracy, cosine, sgd } from '@convkit/core/train';
import { loader, shapeClasses, syntheticShapes } from '@convkit/datasets';
import { resnet8 } from '@convkit/resnet';

const unseen = ['star', 'ring', 'hourglass'];
const known = shapeClasses.filter((name) => !unseen.includes(name));

/** The images of some classes only. */
function only(classes, dataset) {
  const indices = Array.from({ length: dataset.length }, (_, i) => i).filter((i) =>
    classes.includes(shapeClasses[dataset.label(i)]),
  );
  return {
    name: dataset.name,
    classes,
    length: indices.length,
    label: (i) => classes.indexOf(shapeClasses[dataset.label(indices[i])]),
    image: (i) => dataset.image(indices[i]),
  };
}

rmSync('work', { recursive: true, force: true });
for (const [split, size] of Object.entries({ train: 100, val: 1000 })) {
  const pictures = only(unseen, syntheticShapes({ size, split: split === 'val' ? 'test' : 'train', seed: 1 }));
  for (const name of unseen) mkdirSync(`work/pictures/${split}/${name}`, { recursive: true });
  for (let i = 0; i < pictures.length; i++) {
    await writeImage(`work/pictures/${split}/${unseen[pictures.label(i)]}/${i}.png`, await pictures.image(i));
  }
  console.log(`work/pictures/${split}: ${pictures.length} pictures of ${unseen.join(', ')}`);
}

console.log((await selectBackend()).reason);
const model = resnet8({ numClasses: known.length, classes: known });
const { preprocessing } = model;
const train = loader(only(known, syntheticShapes({ size: 4000 })), { batchSize: 64, shuffle: true, preprocessing });
const test = loader(only(known, syntheticShapes({ size: 500, split: 'test' })), { batchSize: 100, preprocessing });
const trainer = new Trainer(model, {
  optimizer: sgd({ momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
  schedule: cosine({ peak: 0.1, warmupEpochs: 1 }),
  metrics: [accuracy()],
});
await trainer.fit(train, {
  epochs: 6,
  validation: test,
  loggers: [
    {
      epoch: ({ epoch, validation }) =>
        console.log(`epoch ${epoch}: top-1 ${(100 * validation.top1).toFixed(1)} % of the known shapes`),
    },
  ],
});
await saveWeights('work/base.safetensors', model, {
  preprocessing,
  metadata: { model: 'resnet8', classes: JSON.stringify(known) },
});
