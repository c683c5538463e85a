import { type Module, type StateDict, FormatError, loadStateDict } from '@convkit/core';
import type { WeightsFile } from '@convkit/core/node';

/** Loads every weight, or says in one line how far the file and the model are apart. */
export function fitWeights(model: Module<unknown>, file: WeightsFile, { path, name }: { path: string; name: string }): void {
  const differences = compare(model, file.tensors);
  if (differences.length > 0) throw new FormatError(`${path} does not fit ${name}: ${differences.join('; ')}`);
  try {
    loadStateDict(model, file.tensors);
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`${path}: ${error.message}`, { cause: error }) : error;
  }
}

/** What a strict load would refuse, each kind with its first names. */
function compare(model: Module<unknown>, tensors: StateDict): string[] {
  const states = [...model.state()];
  const names = new Set(states.map(([key]) => key));
  const missing = states.filter(([key, { kind }]) => kind !== 'counter' && !tensors.has(key)).map(([key]) => key);
  const unexpected = [...tensors.keys()].filter((key) => !names.has(key));
  const wrong = states.flatMap(([key, { shape }]) => {
    const found = tensors.get(key)?.shape;
    return found && found.join() !== shape.join() ? [`${key} [${found.join(', ')}] instead of [${shape.join(', ')}]`] : [];
  });
  const kinds: [what: string, names: readonly string[]][] = [
    ['it lacks', missing],
    ['it has more', unexpected],
    ['other shapes', wrong],
  ];
  return kinds.filter(([, list]) => list.length > 0).map(([what, list]) => `${what}: ${firstOf(list)}`);
}

const firstOf = (names: readonly string[]): string =>
  names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');

/**
 * Starts a model from weights that were trained for other classes: the layers whose shape depends on the number of classes
 * keep their own starting values. Gives their names.
 *
 * @throws FormatError if anything else does not fit.
 */
export function fitBackbone(model: Module<unknown>, file: WeightsFile, { path, name }: { path: string; name: string }): string[] {
  const shapes = new Map([...model.state()].map(([key, state]) => [key, state.shape]));
  const heads = [...file.tensors].filter(([key, { shape }]) => {
    const needed = shapes.get(key);
    return needed !== undefined && needed.length === shape.length && needed.some((n, i) => n !== shape[i]);
  });
  const isHead = (key: string, shape: readonly number[]): boolean =>
    shape.slice(1).every((n, i) => n === shapes.get(key)?.[i + 1]) && key.replace(/\.(weight|bias)$/, '') === headOf(heads[0][0]);
  const headOf = (key: string): string => key.replace(/\.(weight|bias)$/, '');
  if (heads.length === 0 || !heads.every(([key, { shape }]) => isHead(key, shape))) {
    fitWeights(model, file, { path, name });
    return [];
  }
  const names = heads.map(([key]) => key);
  const rest: StateDict = new Map([...file.tensors].filter(([key]) => !names.includes(key)));
  const report = loadStateDict(model, rest, { strict: false });
  const missing = report.missing.filter((key) => !names.includes(key));
  if (missing.length + report.unexpected.length > 0) fitWeights(model, file, { path, name });
  return names;
}
