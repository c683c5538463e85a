import type { ClassModel, Classifier } from '@convkit/core';
import { writeFileAtomic } from '@convkit/core/node';
import { Trainer, accuracy, confusionMatrix, crossEntropy, evaluate } from '@convkit/core/train';
import { loader } from '@convkit/datasets';
import { type TrainingData, dataLabel } from '../data.js';
import { percent } from '../format.js';
import type { Progress } from '../progress.js';
import { makeOptimizer, makeSchedule } from '../recipe.js';
import { runFiles } from '../run-folder.js';
import type { TrainPlan } from '../run-plan.js';
import type { TrainingJob } from '../training-job.js';
import { drawConfusion, evaluationProgress } from './eval.js';

/** Trains a classifier on images with a class each. */
export function classifierJob(
  anyModel: ClassModel,
  { config, data: anyData, folder }: TrainPlan,
  progress: Progress,
): TrainingJob {
  const model = anyModel as Classifier;
  const data = anyData as TrainingData;
  const { recipe, settings } = config;
  const { batchSize, labelSmoothing, accumulate, clipNorm } = recipe;
  const { preprocessing } = settings;
  const heldOut = () => loader(data.validation, { batchSize, preprocessing });
  return {
    fit(common) {
      const augment = recipe.augment ? data.augmentation : undefined;
      const dropLast = data.train.length >= batchSize;
      const train = loader(data.train, { batchSize, preprocessing, augment, shuffle: true, dropLast });
      const trainer = new Trainer(model, {
        optimizer: makeOptimizer(recipe),
        schedule: makeSchedule(recipe),
        loss: crossEntropy({ labelSmoothing }),
        validationLoss: crossEntropy(),
        metrics: [accuracy()],
        accumulate,
        ...(clipNorm === null ? {} : { clipNorm }),
      });
      return trainer.fit(train, { ...common, validation: heldOut() });
    },
    weightsOf: (checkpoint) => checkpoint.model,
    async finish() {
      const confusion = confusionMatrix(settings.classes);
      const scores = await evaluate(model, heldOut(), {
        metrics: [accuracy(), confusion],
        onProgress: evaluationProgress(progress),
      });
      const title = `${config.model} on ${dataLabel(config.data.name)}`;
      const files = runFiles(folder);
      await writeFileAtomic(files.confusion, await drawConfusion(title, confusion.toJSON(), scores.top1));
      const { loss, top1, top5 } = scores;
      const dataDir = config.data.dir === null ? '' : ` --data-dir ${config.data.dir}`;
      return {
        headline: `Held-out top-1: ${percent(top1)}`,
        validation: { loss, top1, ...(top5 === undefined ? {} : { top5 }) },
        files: [
          ['curves.svg', 'loss, accuracy and learning rate of each epoch'],
          ['confusion.svg', 'true against predicted classes of the held-out images'],
        ],
        next: [
          `convkit eval ${config.model} --weights ${files.weights} --data ${config.data.name}${dataDir}`,
          `convkit classify ${config.model} IMAGE... --weights ${files.weights}`,
        ],
      };
    },
  };
}
