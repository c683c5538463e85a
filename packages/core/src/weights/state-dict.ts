import { FormatError } from '../errors.js';
import type { Module, State } from '../module.js';
import { type HostTensor, type StateDict, dtypes, floatTensor, intScalar, quoted } from './host-tensor.js';

/** What a load did, and what it could not do. */
export interface LoadReport {
  /** Names that were set, in the model's order. */
  readonly loaded: string[];
  /** Names of the model that the file lacks. */
  readonly missing: string[];
  /** Names of the file that the model lacks. */
  readonly unexpected: string[];
  readonly wrongShape: { name: string; expected: number[]; found: number[] }[];
}

export interface LoadOptions {
  /**
   * True (the default): any missing, unexpected or wrongly shaped name is an error and the model stays as it was.
   * False: what fits is loaded, the rest is in the report.
   */
  readonly strict?: boolean;
  /** Gives each name of the file its name in the model, for checkpoints with other names. Default: the model's own `rename`. */
  readonly rename?: (name: string) => string;
  /** Names of the model that stay as they are: the file is expected not to have them. */
  readonly except?: (name: string) => boolean;
}

/** A model's weights and buffers by their names, in PyTorch's layout and order. Counters are int64 scalars. */
export async function stateDict(model: Module<unknown>): Promise<StateDict> {
  const dict: StateDict = new Map();
  for (const [name, state] of model.state()) {
    dict.set(name, state.kind === 'counter' ? intScalar(state.value) : floatTensor(await state.read(), state.shape));
  }
  return dict;
}

/**
 * Sets a model's weights from a state dict. F64, F16 and BF16 values become float32; `num_batches_tracked` may be absent.
 * All or nothing: every name, shape, dtype and value is checked before the first weight is set.
 *
 * Throws FormatError that names what does not fit (strict, the default), and in either mode for values that cannot be a
 * weight: integers for a float, a float64 beyond float32.
 */
export function loadStateDict(model: Module<unknown>, dict: StateDict, options: LoadOptions = {}): LoadReport {
  const { strict = true, rename = (name) => model.rename(name), except = () => false } = options;
  const source = renamed(dict, rename);
  const report: LoadReport = { loaded: [], missing: [], unexpected: [], wrongShape: [] };
  const sets: (() => void)[] = [];
  const known = new Set<string>();
  for (const [name, state] of model.state()) {
    if (except(name)) continue;
    known.add(name);
    const found = source.get(name);
    if (!found) {
      if (state.kind !== 'counter') report.missing.push(name);
    } else if (!sameShape(state.shape, found.shape)) {
      report.wrongShape.push({ name, expected: [...state.shape], found: [...found.shape] });
    } else {
      sets.push(setter(name, state, found));
      report.loaded.push(name);
    }
  }
  for (const name of source.keys()) if (!known.has(name)) report.unexpected.push(name);
  if (strict && report.missing.length + report.unexpected.length + report.wrongShape.length > 0) {
    throw new FormatError(mismatch(report));
  }
  for (const set of sets) set();
  return report;
}

function renamed(dict: StateDict, rename: (name: string) => string): StateDict {
  const result: StateDict = new Map();
  for (const [name, tensor] of dict) {
    const next = rename(name);
    if (result.has(next))
      throw new FormatError(`Two tensors of the file are renamed to ${quoted(next)}, one of them ${quoted(name)}.`);
    result.set(next, tensor);
  }
  return result;
}

/** Checks the values, and gives what sets them. */
function setter(name: string, state: State, { dtype, data }: HostTensor): () => void {
  if (state.kind === 'counter') {
    const count = Number(data[0]);
    if (!Number.isSafeInteger(count)) throw new FormatError(`Counter ${quoted(name)} is ${data[0]}, not a whole number.`);
    return () => {
      state.value = count;
    };
  }
  if (!dtypes[dtype].float) {
    throw new FormatError(`Tensor ${quoted(name)} has dtype ${dtype}; a weight must be F32, F16, BF16 or F64.`);
  }
  // A backend may keep the array it is given: a copy, so that the weight neither shares nor holds on to the file's bytes.
  if (data instanceof Float32Array) return () => state.set(state.layout === 'plain' ? data.slice() : data);
  const values = Float32Array.from(data as Float64Array);
  values.forEach((value, i) => {
    if (!Number.isFinite(value) && Number.isFinite(data[i])) {
      throw new FormatError(`Tensor ${quoted(name)} holds ${data[i]}, which float32 cannot hold.`);
    }
  });
  return () => state.set(values);
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

function mismatch({ missing, unexpected, wrongShape }: LoadReport): string {
  const parts: string[] = [];
  if (missing.length > 0) parts.push(`missing ${list(missing)}`);
  if (unexpected.length > 0) parts.push(`unexpected ${list(unexpected)}`);
  if (wrongShape.length > 0) {
    parts.push(
      `wrong shape ${list(wrongShape.map(({ name, expected, found }) => `${name} (needs [${expected}], found [${found}])`))}`,
    );
  }
  const hint = prefixHint(missing, unexpected);
  return `The weights do not fit the model: ${parts.join('; ')}.${hint ?? ' Load them into the model they belong to, or pass { strict: false }.'}`;
}

/** Strict errors name everything, but a wrong checkpoint would fill pages: past 20 names the rest is counted. */
function list(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${names.length} names: ${shown}, and ${names.length - 20} more` : shown;
}

/** Checkpoints of wrapped models (DataParallel, compiled) carry one prefix on every name: say how to take it off. */
function prefixHint(missing: readonly string[], unexpected: readonly string[]): string | undefined {
  const first = missing.find((name) => !name.endsWith('num_batches_tracked'));
  const match = first && unexpected.find((name) => name.endsWith(`.${first}`));
  if (!match) return undefined;
  const prefix = match.slice(0, match.length - first.length);
  if (!unexpected.every((name) => name.startsWith(prefix))) return undefined;
  return ` Every name starts with "${prefix}": pass { rename: (name) => name.slice(${prefix.length}) }.`;
}
