import { mkdtempSync, readFileSync, readdirSync, rmSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PbfReader } from 'pbf';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EpochRecord, Logger, StepRecord } from '../../train/logger.js';
import { csvLogger } from './csv.js';
import { jsonlLogger } from './jsonl.js';
import { maskedCrc, tensorBoardLogger } from './tensorboard.js';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'convkit-loggers-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const stepsPerEpoch = 2;
const stepRecord = (step: number): StepRecord => ({
  epoch: Math.ceil(step / stepsPerEpoch),
  step,
  stepInEpoch: ((step - 1) % stepsPerEpoch) + 1,
  stepsPerEpoch,
  totalSteps: 6,
  loss: 1 / step,
  learningRate: 0.1,
  metrics: { top1: step / 10 },
  images: 8,
  imagesPerSecond: 100,
  waitMs: 0,
});
const epochRecord = (epoch: number): EpochRecord => ({
  epoch,
  steps: epoch * stepsPerEpoch,
  learningRate: 0.1,
  train: { loss: 1 / epoch, top1: epoch / 10 },
  validation: { loss: 2 / epoch, top1: epoch / 20 },
  seconds: 1.23456,
  imagesPerSecond: 100,
});

/** Runs steps `from` … `to`; an epoch is recorded when its last step was run. */
async function run(logger: Logger, from: number, to: number): Promise<void> {
  const resumed = { epoch: Math.floor((from - 1) / stepsPerEpoch), step: from - 1 };
  const history = Array.from({ length: resumed.epoch }, (_, i) => epochRecord(i + 1));
  await logger.start?.({ epochs: 3, stepsPerEpoch, totalSteps: 6, resumed, history });
  for (let step = from; step <= to; step++) {
    await logger.step?.(stepRecord(step));
    if (step % stepsPerEpoch === 0) await logger.epoch?.(epochRecord(step / stepsPerEpoch));
  }
  await logger.end?.();
}

test('the CSV has a header and one row an epoch', async () => {
  const path = join(dir, 'new', 'metrics.csv');
  await run(csvLogger(path), 1, 4);
  expect(readFileSync(path, 'utf8')).toBe(
    'epoch,steps,learning_rate,train_loss,train_top1,val_loss,val_top1,seconds,images_per_second\n' +
      '1,2,0.1,1,0.1,2,0.05,1.235,100\n' +
      '2,4,0.1,0.5,0.2,1,0.1,1.235,100\n',
  );
});

test('a run resumed at any step leaves the same CSV and JSONL as one that never stopped', async () => {
  await run(csvLogger(join(dir, 'whole.csv')), 1, 6);
  await run(jsonlLogger(join(dir, 'whole.jsonl')), 1, 6);
  for (let lastStep = 1; lastStep < 6; lastStep++) {
    for (let resumeAt = 1; resumeAt <= lastStep; resumeAt++) {
      const name = `${lastStep}-${resumeAt}`;
      await run(csvLogger(join(dir, `${name}.csv`)), 1, lastStep);
      await run(csvLogger(join(dir, `${name}.csv`)), resumeAt + 1, 6);
      await run(jsonlLogger(join(dir, `${name}.jsonl`)), 1, lastStep);
      appendFileSync(join(dir, `${name}.jsonl`), '{"epoch":1,"st');
      await run(jsonlLogger(join(dir, `${name}.jsonl`)), resumeAt + 1, 6);
      expect(readFileSync(join(dir, `${name}.csv`), 'utf8')).toBe(readFileSync(join(dir, 'whole.csv'), 'utf8'));
      expect(readFileSync(join(dir, `${name}.jsonl`), 'utf8')).toBe(readFileSync(join(dir, 'whole.jsonl'), 'utf8'));
    }
  }
});

test('a fresh run in the same place starts its logs anew', async () => {
  await run(csvLogger(join(dir, 'm.csv')), 1, 6);
  await run(csvLogger(join(dir, 'm.csv')), 1, 2);
  expect(readFileSync(join(dir, 'm.csv'), 'utf8').trim().split('\n')).toHaveLength(2);
  await run(jsonlLogger(join(dir, 's.jsonl')), 1, 6);
  await run(jsonlLogger(join(dir, 's.jsonl')), 1, 2);
  expect(readFileSync(join(dir, 's.jsonl'), 'utf8').trim().split('\n')).toHaveLength(2);
});

test('the masked CRC of TFRecord is the published one', () => {
  // RFC 3720, B.4: the CRC-32C of 32 zero bytes is 0x8a9136aa.
  const crc = 0x8a9136aa;
  expect(maskedCrc(new Uint8Array(32))).toBe((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
});

interface Event {
  wallTime: number;
  step: number;
  version?: string;
  sessionStatus?: number;
  scalars: Record<string, number>;
}

/** Reads the records back, checking each frame's length and both checksums. */
function readEvents(path: string): Event[] {
  const bytes = new Uint8Array(readFileSync(path));
  const view = new DataView(bytes.buffer);
  const events: Event[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc(bytes.subarray(at, at + 8)));
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc(data));
    events.push(readEvent(data));
    at += 16 + length;
  }
  return events;
}

function readEvent(data: Uint8Array): Event {
  const readValue = (field: number, value: { tag: string; value: number }, pbf: PbfReader): void => {
    if (field === 1) value.tag = pbf.readString();
    if (field === 2) value.value = pbf.readFloat();
  };
  const readSummary = (field: number, scalars: Record<string, number>, pbf: PbfReader): void => {
    if (field !== 1) return;
    const { tag, value } = pbf.readMessage(readValue, { tag: '', value: Number.NaN });
    scalars[tag] = value;
  };
  const readField = (field: number, event: Event, pbf: PbfReader): void => {
    if (field === 1) event.wallTime = pbf.readDouble();
    if (field === 2) event.step = pbf.readVarint();
    if (field === 3) event.version = pbf.readString();
    if (field === 5) pbf.readMessage(readSummary, event.scalars);
    if (field === 7)
      event.sessionStatus = pbf.readMessage((_, log: { status: number }, p) => void (log.status = p.readVarint()), {
        status: 0,
      }).status;
  };
  return new PbfReader(data).readFields(readField, { wallTime: 0, step: 0, scalars: {} });
}

const eventFiles = (run: string): string[] => readdirSync(join(dir, 'tb', run)).map((name) => join(dir, 'tb', run, name));

test('TensorBoard event files read back: framing, checksums, version, scalars', async () => {
  await run(tensorBoardLogger(join(dir, 'tb')), 1, 2);
  const [train] = eventFiles('train');
  expect(train).toMatch(/events\.out\.tfevents\.\d{10}\./);
  const [version, first, second, epoch, ...rest] = readEvents(train);
  expect(rest).toEqual([]);
  expect(version.version).toBe('brain.Event:2');
  expect(Math.abs(version.wallTime - Date.now() / 1000)).toBeLessThan(60);
  expect(first).toMatchObject({ step: 1, scalars: { 'step/loss': 1, 'step/learning_rate': Math.fround(0.1) } });
  expect(second).toMatchObject({ step: 2, scalars: { 'step/loss': 0.5 } });
  expect(epoch).toMatchObject({ step: 2, scalars: { 'epoch/loss': 1, 'epoch/top1': Math.fround(0.1) } });
  const validation = readEvents(eventFiles('validation')[0]);
  expect(validation[1]).toMatchObject({ step: 2, scalars: { 'epoch/loss': 2, 'epoch/top1': Math.fround(0.05) } });
});

test('a resumed run opens new event files that void the later points of the old ones', async () => {
  await run(tensorBoardLogger(join(dir, 'tb')), 1, 4);
  await run(tensorBoardLogger(join(dir, 'tb')), 4, 6);
  for (const name of ['train', 'validation']) {
    const resumed = eventFiles(name)
      .map(readEvents)
      .find((events) => events[1].sessionStatus === 1);
    expect(resumed?.[1].step).toBe(4);
  }
  expect(eventFiles('train')).toHaveLength(2);
});
