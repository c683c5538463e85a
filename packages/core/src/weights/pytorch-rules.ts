import { FormatError } from '../errors.js';
import { quoted } from './host-tensor.js';
import { PickleGlobal, type PickleRules, PickleTuple } from './pickle.js';
import { type Storage, StoredTensor, storageTypes } from './pytorch-tensor.js';

/**
 * What weights need: ordered dicts, tensors and parameters, the names of storage classes; and classes, by Python's convention with a
 * capital letter, whose objects hold a state and cannot do anything. Everything else is refused.
 */
export function rulesFor(persistent: (id: readonly unknown[]) => Storage): PickleRules {
  return {
    global: (name) => {
      const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
      const [, storage, type] = /^torch\.(?:(\w+Storage)|(\w+))$/.exec(name) ?? [];
      if (call || Object.hasOwn(storageTypes, storage ?? '') || dtypeNames.has(type)) return new PickleGlobal(name, call);
      if (storage === undefined && /^(\w+\.)+_*[A-Z]\w*$/.test(name)) return new PickleGlobal(name, undefined, true);
      throw new FormatError(
        `PyTorch: the file refers to ${quoted(name)}; only tensors in dicts and modules are read, nothing is executed. ` +
          'In Python, save model.state_dict() alone, with torch.save or as safetensors.',
      );
    },
    persistent: (id) => {
      if (!(id instanceof PickleTuple)) throw damaged('a storage');
      if (id.items[0] === 'module') return id.items[1]; // a class and its source, as PyTorch before 1.6 wrote them
      if (id.items[0] !== 'storage') throw damaged('a storage');
      return persistent(id.items);
    },
    build: (object) => {
      // A state dict carries the versions of its modules (`_metadata`), which names and shapes make up for; null: what `inert` gave.
      if (!(object instanceof Map) && object !== null)
        throw new FormatError('PyTorch: sets the state of what is not a dict: refused.');
    },
  };
}

/** Types of values: attributes of some modules. */
const dtypeNames: ReadonlySet<string | undefined> = new Set([
  'float64',
  'float32',
  'float16',
  'bfloat16',
  'int64',
  'uint8',
  'bool',
]);

/** What a checkpoint holds besides tensors, and what nobody asks for its value. */
const inert = (): null => null;

const calls: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  'collections.OrderedDict': ([items = []]) => {
    if (!Array.isArray(items)) throw damaged('an ordered dict');
    return new Map(
      items.map((item: unknown): [unknown, unknown] => {
        const pair = item instanceof PickleTuple ? item.items : item;
        if (!Array.isArray(pair) || pair.length !== 2) throw damaged('an ordered dict');
        return [pair[0], pair[1]];
      }),
    );
  },
  'torch._utils._rebuild_tensor': tensor,
  'torch._utils._rebuild_tensor_v2': tensor,
  'torch._utils._rebuild_parameter': ([data]) => {
    if (!(data instanceof StoredTensor)) throw damaged('a parameter');
    return data;
  },
  '__builtin__.set': ([items]) => items,
  'builtins.set': ([items]) => items,
  'numpy.dtype': inert,
  'numpy.core.multiarray.scalar': inert,
  'numpy._core.multiarray.scalar': inert,
  '_codecs.encode': inert,
  'torch.device': inert,
  'pathlib.PosixPath': inert,
  'pathlib.WindowsPath': inert,
  'torch.Size': ([size]) => {
    if (!(size instanceof PickleTuple)) throw damaged('a size');
    return size;
  },
};

function tensor([storage, offset, size, stride]: readonly unknown[]): StoredTensor {
  if (!isStorage(storage) || !isCount(offset)) throw damaged('a tensor');
  if (!(size instanceof PickleTuple) || !(stride instanceof PickleTuple)) throw damaged('a tensor');
  const [shape, strides] = [size.items, stride.items];
  if (!shape.every(isCount) || !strides.every(isCount) || shape.length !== strides.length || shape.length > 64) {
    throw damaged('a tensor');
  }
  return new StoredTensor(storage, offset, shape, strides);
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isStorage = (value: unknown): value is Storage => typeof value === 'object' && value !== null && 'dtype' in value;
const damaged = (what: string): FormatError =>
  new FormatError(`PyTorch: the pickle describes ${what} in a way that cannot be: it is damaged.`);

/** ('storage', class, key, device, number of values) */
export function zipStorage([, type, key, , size]: readonly unknown[]): Storage {
  const name = type instanceof PickleGlobal ? type.name.replace(/^torch\./, '') : '';
  if (!Object.hasOwn(storageTypes, name) || typeof key !== 'string' || !isCount(size)) throw damaged('a storage');
  return { key, dtype: storageTypes[name], size, offset: 0 };
}

/** The same, then none or (key of the view, its offset, its size). Keeps the whole storages by key. */
export function legacyStorage(items: readonly unknown[], storages: Map<string, Storage>): Storage {
  const whole = zipStorage(items);
  const known = storages.get(whole.key);
  if (known && (known.dtype !== whole.dtype || known.size !== whole.size)) throw damaged('a storage');
  storages.set(whole.key, whole);
  const view = items[5];
  if (!(view instanceof PickleTuple)) return whole;
  const [, offset, size] = view.items;
  if (!isCount(offset) || !isCount(size) || offset + size > whole.size) throw damaged('a storage');
  return { ...whole, offset, size };
}
