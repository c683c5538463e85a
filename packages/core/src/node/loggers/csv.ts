import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EpochRecord, Logger } from '../../train/logger.js';

/**
 * Writes one row for each epoch: `epoch, steps, learning_rate, train_…, val_…, seconds, images_per_second`.
 * A resumed run keeps the rows of the epochs that it goes on from and writes the later ones anew.
 */
export function csvLogger(path: string): Logger {
  let rows: string[] = [];
  return {
    start(run) {
      mkdirSync(dirname(path), { recursive: true });
      const [header, ...old] = run.resumed.step > 0 ? readRows(path) : [];
      rows = header === undefined ? [] : [header, ...old.filter((row) => Number.parseInt(row, 10) <= run.resumed.epoch)];
    },
    epoch(record) {
      const columns = toColumns(record);
      if (rows.length === 0) rows.push(columns.map(([name]) => name).join(','));
      rows.push(columns.map(([, value]) => value).join(','));
      // The whole file is small, and replaced by rename: a reader or a crash never meets half a row.
      writeFileSync(`${path}.tmp`, `${rows.join('\n')}\n`);
      renameSync(`${path}.tmp`, path);
    },
  };
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

function readRows(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return []; // the run was killed before its first epoch ended
  }
}
