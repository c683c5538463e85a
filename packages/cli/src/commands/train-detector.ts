import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ClassModel, inputSize } from '@convkit/core';
import { type Detector, type LabelledImages, evaluateDetector } from '@convkit/core/detection';
import { type DetectionLabels, Trainer } from '@convkit/core/train';
import { detectionLoader } from '@convkit/datasets';
import type { DetectionTraining } from '../detection-training.js';
import { writeDetections } from '../pictures/detections.js';
import type { Progress } from '../progress.js';
import { makeOptimizer, makeSchedule, warmupSchedules } from '../recipe.js';
import { runFiles } from '../run-folder.js';
import type { TrainPlan } from '../run-plan.js';
import type { TrainingJob } from '../training-job.js';
import { evaluationProgress } from './eval.js';

/** Held-out pictures that are drawn with what the net finds in them. */
const PICTURES = 8;
/** Joints of a pose, as COCO has them. */
const JOINTS = 17;

/** Trains a detector on images with objects. */
export function detectorJob(anyModel: ClassModel, { config, data: anyData, folder }: TrainPlan, progress: Progress): TrainingJob {
  const model = anyModel as Detector;
  const data = anyData as DetectionTraining;
  const { recipe, settings } = config;
  const { batchSize, accumulate, clipNorm, epochs } = recipe;
  const [height, width] = inputSize(settings.preprocessing);
  const rules = { batchSize: Math.min(batchSize, 8), maxDetections: 300 };
  return {
    fit(common) {
      const { closeMosaic = 0, mixup = 0, multiScale = 0 } = recipe;
      const train = detectionLoader(data.train, {
        batchSize,
        inputSize: [height, width],
        shuffle: true,
        dropLast: data.train.length >= batchSize,
        epochs,
        ...(recipe.augment && { augment: { closeMosaic, mixup, multiScale } }),
        masks: model.task === 'segment',
        joints: model.task === 'pose' ? JOINTS : 0,
      });
      const trainer = new Trainer<unknown, DetectionLabels>(model, {
        optimizer: makeOptimizer(recipe, true),
        schedule: makeSchedule(recipe),
        ...warmupSchedules(recipe),
        loss: model.trainingLoss(),
        accumulate,
        ema: {},
        ...(clipNorm === null ? {} : { clipNorm }),
      });
      return trainer.fit(train, {
        ...common,
        validation: async ({ signal, onProgress }) => {
          const { length: total } = data.validation;
          const onImage = ({ index }: { index: number }): Promise<void> => onProgress({ done: index + 1, total });
          const evaluation = await evaluateDetector(model, data.validation, { ...rules, onImage, ...(signal && { signal }) });
          const { ap, ap50, ap75 } = evaluation.result().summary;
          return { ap, ap50, ap75 };
        },
      });
    },
    weightsOf: (checkpoint) => checkpoint.average ?? checkpoint.model,
    async finish() {
      const total = data.validation.length;
      const onProgress = evaluationProgress(progress);
      const onImage = ({ index }: { index: number }): void => onProgress({ done: index + 1, total });
      const { summary } = (await evaluateDetector(model, data.validation, { ...rules, onImage })).result();
      await drawPictures(model, data.validation, join(folder, 'pictures'));
      const files = runFiles(folder);
      const dataDir = config.data.dir === null ? '' : ` --data-dir ${config.data.dir}`;
      return {
        headline: `Held-out AP50: ${summary.ap50.toFixed(3)}, AP: ${summary.ap.toFixed(3)}`,
        validation: { ...summary },
        files: [
          ['curves.svg', 'loss, average precision and learning rate of each epoch'],
          ['pictures/', 'held-out images with what the net finds in them'],
        ],
        next: [
          `convkit eval ${config.model} --weights ${files.weights} --data ${config.data.name}${dataDir}`,
          `convkit detect ${config.model} IMAGE... --weights ${files.weights}`,
        ],
      };
    },
  };
}

async function drawPictures(model: Detector, images: LabelledImages, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < Math.min(PICTURES, images.length); i++) {
    const { image } = await images.load(i);
    await writeDetections(join(folder, `held-out-${i + 1}.png`), image, await model.detect(image));
  }
}
