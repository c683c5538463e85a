import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EpochRecord, Logger } from '../../train/logger.js';

/**
 * Writes one row for each epoch: `epoch, steps, learning_rate, train_…, val_…, seconds, images_per_second`.
 * A resumed run keeps the rows of the epochs that it goes on from, and no later ones.
 */
export function csvLogger(path: string): Logger {
  let records: EpochRecord[] = [];
  return {
    start(run) {
      mkdirSync(dirname(path), { recursive: true });
      records = [...run.history];
      write(path, records);
    },
    epoch(record) {
      records.push(record);
      write(path, records);
    },
  };
}

/** The whole file is small, and replaced by rename: a reader or a crash never meets half a row. */
function write(path: string, records: readonly EpochRecord[]): void {
  const tables = records.map(toColumns);
  const header = tables.slice(0, 1).map((columns) => columns.map(([name]) => name).join(','));
  const rows = tables.map((columns) => columns.map(([, value]) => value).join(','));
  writeFileSync(`${path}.tmp`, [...header, ...rows, ''].join('\n'));
  renameSync(`${path}.tmp`, path);
}

function toColumns(record: EpochRecord): [name: string, value: number][] {
  const { train, validation = {} } = record;
  return [
    ['epoch', record.epoch],
    ['steps', record.steps],
    ['learning_rate', record.learningRate],
    ...Object.entries(train).map(([name, value]): [string, number] => [`train_${name}`, value]),
    ...Object.entries(validation).map(([name, value]): [string, number] => [`val_${name}`, value]),
    ['seconds', round(record.seconds)],
    ['images_per_second', round(record.imagesPerSecond)],
  ];
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
