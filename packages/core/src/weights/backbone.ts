import type { Classifier } from '../classifier.js';
import { DEFAULT_SEED } from '../module.js';
import type { StateDict } from './host-tensor.js';
import { type LoadOptions, type LoadReport, loadStateDict } from './state-dict.js';

/** What `loadBackbone` did. */
export interface BackboneReport extends LoadReport {
  /** Names of the head's weights, drawn anew since the checkpoint's are of another number of classes; empty when all was loaded. */
  readonly fresh: readonly string[];
}

export interface BackboneOptions extends Pick<LoadOptions, 'rename'> {
  /** Of the values of a head that is drawn anew. */
  readonly seed?: number;
}

/**
 * Loads weights that may have been trained for another number of classes: then the head is drawn anew, as `initialize(seed)` does, and the
 * report names it. Everything else is as strict as in `loadStateDict`; throws FormatError that names what does not fit.
 */
export function loadBackbone(model: Classifier, dict: StateDict, options: BackboneOptions = {}): BackboneReport {
  const { seed = DEFAULT_SEED, rename = (name) => model.rename(name) } = options;
  const theirs = classesIn(model, dict, rename);
  const { classes } = model;
  if (theirs === undefined || theirs === classes.length) return { ...loadStateDict(model, dict, { rename }), fresh: [] };
  model.replaceHead(theirs);
  try {
    const report = loadStateDict(model, dict, { rename });
    const isHead = (name: string): boolean => model.heads.some((head) => name.startsWith(`${head}.`));
    return { ...report, loaded: report.loaded.filter((name) => !isHead(name)), fresh: report.loaded.filter(isHead) };
  } finally {
    model.replaceHead(classes.length, { classes, seed });
  }
}

/** The number of classes of a checkpoint, by the shape of its head. */
function classesIn(model: Classifier, dict: StateDict, rename: (name: string) => string): number | undefined {
  const [head] = model.heads;
  const name = [...dict.keys()].find((key) => rename(key) === `${head}.weight`);
  const classes = name === undefined ? undefined : dict.get(name)?.shape[0];
  return classes === 0 ? undefined : classes;
}
