import type { ClassModel } from '../model.js';
import { DEFAULT_SEED } from '../module.js';
import { Random } from '../random.js';
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
 * Loads weights that may have been trained for other classes: where the head has another shape than the file's, it is drawn anew, as
 * `initialize(seed)` does, and the report names it. Everything else is as strict as in `loadStateDict`; throws FormatError that names
 * what does not fit, and leaves the model as it was.
 */
export function loadBackbone(model: ClassModel, dict: StateDict, options: BackboneOptions = {}): BackboneReport {
  const { seed = DEFAULT_SEED, rename = (name) => model.rename(name) } = options;
  const isHead = (name: string): boolean => model.heads.some((head) => name.startsWith(`${head}.`));
  const shapes = new Map([...dict].map(([name, { shape }]) => [rename(name), shape]));
  const head = [...model.state()].filter(([name]) => isHead(name));
  const otherClasses = head.some(([name, { shape }]) => shapes.has(name) && shapes.get(name)?.join() !== shape.join());
  if (!otherClasses) return { ...loadStateDict(model, dict, { rename }), fresh: [] };
  const backbone = new Map([...dict].filter(([name]) => !isHead(rename(name))));
  const report = loadStateDict(model, backbone, { rename, except: isHead });
  const random = new Random(seed).child('init');
  for (const [name, state] of head) {
    if (state.kind === 'counter') state.value = 0;
    else state.initialize(random.child(name));
  }
  return { ...report, fresh: head.map(([name]) => name) };
}
