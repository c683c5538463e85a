import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import crc32c from 'crc-32/crc32c.js';
import { PbfWriter } from 'pbf';
import type { Logger } from '../../train/logger.js';

/**
 * Writes event files that TensorBoard reads: `<directory>/train` and `<directory>/validation`, so that a metric of both
 * is drawn in one chart. `step/…` has a point for each step, `epoch/…` for each epoch; the x axis is the step of the run.
 * A resumed run opens new files which tell TensorBoard to forget the points after the step that it goes on from.
 */
export function tensorBoardLogger(directory: string): Logger {
  const files = new Map<string, EventFile>();
  let resumedStep = 0;
  const file = (run: 'train' | 'validation'): EventFile => {
    const open = files.get(run) ?? new EventFile(join(directory, run), resumedStep);
    files.set(run, open);
    return open;
  };
  return {
    start(run) {
      resumedStep = run.resumed.step;
      file('train');
      if (resumedStep > 0) file('validation');
    },
    step({ step, loss, learningRate, imagesPerSecond }) {
      file('train').scalars(step, {
        'step/loss': loss,
        'step/learning_rate': learningRate,
        'step/images_per_second': imagesPerSecond,
      });
    },
    epoch({ steps, train, validation }) {
      file('train').scalars(steps, prefixed(train));
      if (validation) file('validation').scalars(steps, prefixed(validation));
    },
    end() {
      for (const open of files.values()) open.close();
      files.clear();
    },
  };
}

const prefixed = (values: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`epoch/${name}`, value]));

/** Distinguishes the files that one process opens within a second. */
let filesOpened = 0;

/** One file of `tensorflow.Event` messages in TFRecord frames. */
class EventFile {
  readonly #file: number;

  constructor(directory: string, resumedStep: number) {
    mkdirSync(directory, { recursive: true });
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
    this.#file = openSync(join(directory, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${filesOpened++}`), 'a');
    this.#write(0, (event) => event.writeStringField(3, 'brain.Event:2')); // file_version
    // session_log { status: START }: points at this step and later, written by an earlier run, are void.
    if (resumedStep > 0)
      this.#write(resumedStep + 1, (event) => event.writeMessage(7, (_, log) => log.writeVarintField(1, 1), undefined));
  }

  scalars(step: number, values: Readonly<Record<string, number>>): void {
    const summary = (pbf: PbfWriter): void => {
      for (const [tag, value] of Object.entries(values)) pbf.writeMessage(1, writeScalar, { tag, value });
    };
    this.#write(step, (event) => event.writeMessage(5, (_, pbf) => summary(pbf), undefined));
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(step: number, writeContent: (event: PbfWriter) => void): void {
    const event = new PbfWriter();
    event.writeDoubleField(1, Date.now() / 1000); // wall_time
    event.writeVarintField(2, step);
    writeContent(event);
    writeSync(this.#file, frame(event.finish()));
  }
}

function writeScalar(scalar: { tag: string; value: number }, pbf: PbfWriter): void {
  pbf.writeStringField(1, scalar.tag);
  pbf.writeFloatField(2, scalar.value); // simple_value
}

/** TFRecord: length (uint64), its masked CRC, the data, its masked CRC; all little-endian. */
function frame(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return bytes;
}

/** CRC-32C rotated and shifted, as TensorFlow stores it: a CRC of data that holds CRCs would be weak. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
