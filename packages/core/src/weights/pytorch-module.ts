import { FormatError } from '../errors.js';
import { PickleObject } from './pickle.js';
import { StoredTensor } from './pytorch-tensor.js';

/** More modules, or deeper ones, than any net has: a small file could name the same module over and over. */
const MAX_MODULES = 20_000;
const MAX_DEPTH = 100;

/** The dict of an object's attributes. */
const attributesOf = ({ state }: PickleObject): ReadonlyMap<unknown, unknown> => (state instanceof Map ? state : new Map());

/** A dict among an object's attributes; empty where there is none. */
function dictOf(object: PickleObject, name: string): ReadonlyMap<unknown, unknown> {
  const dict = attributesOf(object).get(name);
  return dict instanceof Map ? dict : new Map();
}

/** Is this a `torch.nn.Module` of any class? It is told by what all of them have. */
export function isModuleRecord(value: unknown): value is PickleObject {
  return value instanceof PickleObject && ['_parameters', '_buffers', '_modules'].every((name) => attributesOf(value).has(name));
}

/**
 * The tensors of a module that was pickled whole, named and ordered as its `state_dict()`: parameters, buffers that are to be saved,
 * then the modules in it.
 */
export function moduleState(root: PickleObject): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  const waiting: { prefix: string; module: PickleObject; depth: number }[] = [{ prefix: '', module: root, depth: 0 }];
  let visited = 0;
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { prefix, module, depth } = next;
    if (++visited > MAX_MODULES || depth > MAX_DEPTH) {
      throw new FormatError(`PyTorch: more than ${MAX_MODULES} modules, or ${MAX_DEPTH} in each other: refused.`);
    }
    const unsaved = attributesOf(module).get('_non_persistent_buffers_set');
    const isSaved = (name: unknown): boolean => !(Array.isArray(unsaved) && unsaved.includes(name));
    const buffers = [...dictOf(module, '_buffers')].filter(([name]) => isSaved(name));
    for (const [name, value] of [...dictOf(module, '_parameters'), ...buffers]) {
      if (value instanceof StoredTensor) tensors.set(`${prefix}${String(name)}`, value);
    }
    const children = [...dictOf(module, '_modules')].filter((entry): entry is [unknown, PickleObject] =>
      isModuleRecord(entry[1]),
    );
    for (const [name, child] of children.reverse()) {
      waiting.push({ prefix: `${prefix}${String(name)}.`, module: child, depth: depth + 1 });
    }
  }
  return tensors;
}

/** The names of a module's classes, where it has them as detectors do: `names`, a list or a dict from 0 on. */
export function classNamesOf(module: PickleObject): readonly string[] | undefined {
  const names = attributesOf(module).get('names');
  const list: unknown[] = names instanceof Map ? Array.from({ length: names.size }, (_, i): unknown => names.get(i)) : [];
  const found = Array.isArray(names) ? (names as unknown[]) : list;
  return found.length > 0 && found.every((name) => typeof name === 'string') ? found : undefined;
}
