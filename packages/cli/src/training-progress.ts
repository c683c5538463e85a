import type { EpochRecord, Logger, RunInfo, StepRecord, ValidationProgress } from '@convkit/core/train';
import { decimal, duration, percent } from './format.js';
import type { Output } from './output.js';
import type { Progress } from './progress.js';

/** Shows a run as it goes: the bar of the epoch with rate and time left, and a line for each epoch that ends. */
export function trainingProgress(output: Output, progress: Progress): Logger {
  let run: RunInfo | undefined;
  let firstStep = 0;
  let begin = performance.now();
  return {
    start(info) {
      run = info;
      firstStep = info.resumed.step;
      begin = performance.now();
    },
    step(record) {
      if (!run) return;
      const perStep = (performance.now() - begin) / 1000 / (record.step - firstStep);
      progress.update({
        label: `epoch ${record.epoch}/${run.epochs}`,
        done: record.stepInEpoch,
        total: record.stepsPerEpoch,
        details: [`${Math.round(record.imagesPerSecond)} images/s`, `loss ${decimal(record.loss)}`, ...shares(record)],
        secondsLeft: perStep * (record.totalSteps - record.step),
      });
    },
    validation({ epoch, done, total }: ValidationProgress) {
      progress.update({ label: `epoch ${epoch}/${run?.epochs ?? epoch} validating`, done, total, details: [] });
    },
    epoch(record) {
      output.note(epochLine(record, run?.epochs ?? record.epoch));
    },
    end() {
      progress.clear();
    },
  };
}

const shares = ({ metrics }: StepRecord): string[] => (metrics.top1 === undefined ? [] : [`top-1 ${percent(metrics.top1, 1)}`]);

function epochLine(record: EpochRecord, epochs: number): string {
  const { train, validation } = record;
  const figures = (values: Readonly<Record<string, number>>): string =>
    [
      ...(values.loss === undefined ? [] : [`loss ${values.loss.toFixed(4)}`]),
      ...(values.top1 === undefined ? [] : [`top-1 ${percent(values.top1)}`]),
      ...(values.ap === undefined ? [] : [`AP50 ${values.ap50.toFixed(3)}`, `AP ${values.ap.toFixed(3)}`]),
    ].join('  ');
  return [
    `epoch ${String(record.epoch).padStart(String(epochs).length)}/${epochs}`,
    `train ${figures(train)}`,
    ...(validation ? [`validation ${figures(validation)}`] : []),
    `${Math.round(record.imagesPerSecond)} images/s`,
    duration(record.seconds),
  ].join('  ');
}
