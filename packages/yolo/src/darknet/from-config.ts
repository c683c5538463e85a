import {
  ArgumentError,
  type CommonConfig,
  FormatError,
  type ModelFactory,
  cocoClasses,
  defineModel,
  vocClasses,
} from '@convkit/core';
import { DarknetClassifier, outputsOf } from './classifier.js';
import { isHead } from './config.js';
import { DarknetDetector, type DarknetDetectorConfig } from './detector.js';
import { DarknetNetwork } from './network.js';
import { parseConfig } from './parse-config.js';
import { decodeDarknetWeights } from './weights.js';

/** Pixels are divided by 255, and that is all. */
export const unitPixels = { mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** A factory of the net in a `.cfg` file: a detector where it has heads, else a classifier. */
export type DarknetFactory = ModelFactory<DarknetDetectorConfig, DarknetDetector> | ModelFactory<CommonConfig, DarknetClassifier>;

/**
 * The factory of the net in a Darknet `.cfg` file, called `name`. Its `pretrained` reads `.weights` files. A net of 80 classes has COCO's
 * names for them, one of 20 VOC's; `classes` gives it others.
 *
 *     const custom = fromConfig(await readFile('custom.cfg', 'utf8'), 'custom');
 *     const model = await custom.pretrained('./custom.weights', { classes: ['cat', 'dog'] });
 *
 * Throws FormatError, starting with the name, for what `parseConfig` and the building of the net refuse.
 */
export function fromConfig(text: string, name: string): DarknetFactory {
  const cfg = named(name, () => parseConfig(text));
  const { width, height } = named(name, () => new DarknetNetwork(cfg)).input;
  const preprocessing = { ...unitPixels, size: [height, width] } as const;
  const about = { name, package: '@convkit/yolo', reference: 'Darknet' };
  const decodeWeights = {
    decodeWeights: (bytes: Uint8Array, file: string) => decodeDarknetWeights(bytes, () => cfg, file),
  };
  const heads = cfg.layers.filter(isHead);
  if (heads.length === 0) {
    const numClasses = outputsOf(cfg);
    if (numClasses === undefined) throw new FormatError(`${name}: the net has no layer that gives classes.`);
    const published: CommonConfig = { preprocessing: { ...preprocessing, resize: Math.min(width, height) }, numClasses };
    return defineModel({ ...about, task: 'classify' }, published, (config) => new DarknetClassifier(cfg, config), decodeWeights);
  }
  const [{ classes: numClasses }] = heads;
  if (heads.some(({ classes }) => classes !== numClasses)) {
    throw new FormatError(
      `${name}: expected all heads to have the same classes, found ${heads.map(({ classes }) => classes).join(', ')}.`,
    );
  }
  const known = { 80: { dataset: 'coco', classes: cocoClasses }, 20: { dataset: 'voc', classes: vocClasses } } as const;
  const dataset = numClasses === 80 || numClasses === 20 ? known[numClasses] : undefined;
  const published: DarknetDetectorConfig = {
    preprocessing,
    numClasses,
    fit: cfg.net.letterbox ? 'letterbox' : 'stretch',
    ...(dataset && { classes: dataset.classes }),
  };
  return defineModel(
    { ...about, task: 'detect', ...(dataset && { dataset: dataset.dataset }) },
    published,
    (config) => new DarknetDetector(cfg, config),
    decodeWeights,
  );
}

/** Errors say which file they are about. */
function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${name}: ${error.message}`);
    throw error instanceof ArgumentError ? new ArgumentError(`${name}: ${error.message}`) : error;
  }
}
