import { FormatError } from '../errors.js';
import { type StateDict, dtypes, quoted } from './host-tensor.js';
import { PickleGlobal, type PickleRules, PickleTuple, readPickle } from './pickle.js';
import { type Storage, StoredTensor, TensorReader, storageTypes } from './pytorch-tensor.js';
import { type ZipEntry, checkedContent, looksLikeZip, readZip } from './zip.js';

/** The number that files of PyTorch before 1.6 begin with, as a pickle of its own. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/** Does this begin as what torch.save writes: a zip archive, or (before PyTorch 1.6) a pickle? */
export function looksLikePyTorch(bytes: Uint8Array): boolean {
  return looksLikeZip(bytes) || (bytes.length > 14 && bytes[0] === 0x80 && bytes[2] === 0x8a && bytes[3] === 10);
}

/**
 * The state dict in a file of torch.save (`.pth`, `.pt`), of any PyTorch since 0.4. In a checkpoint that holds more, it is the
 * dict under `state_dict`, `model`, `model_state_dict` or `ema`, the first that there is; what is no tensor is left out. Contiguous tensors
 * are views into `bytes`, which must not change afterwards.
 *
 * The pickle inside is read as data: nothing in it is executed, and any class or function beyond those that tensors need is
 * refused by its name. Throws FormatError for that, and for a file that is damaged, cut off or holds no tensors.
 */
export function decodePyTorch(bytes: Uint8Array): StateDict {
  const { root, content } = looksLikeZip(bytes) ? readArchive(bytes) : readLegacy(bytes);
  const reader = new TensorReader(content, bytes.length);
  const tensors: StateDict = new Map();
  for (const [name, value] of selectState(root)) {
    if (!(value instanceof StoredTensor)) continue;
    if (typeof name !== 'string') throw new FormatError('PyTorch: a tensor has a name that is not a string.');
    tensors.set(name, reader.read(name, value));
  }
  return tensors;
}

interface Content {
  readonly root: unknown;
  /** The memory of a storage. */
  readonly content: (storage: Storage) => Uint8Array;
}

/** PyTorch since 1.6: a zip archive with the pickle and a file for each storage. */
function readArchive(bytes: Uint8Array): Content {
  const entries = readZip(bytes);
  const pickle = [...entries.values()].find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle) throw new FormatError('PyTorch: the zip archive holds no data.pkl: torch.save did not write it.');
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw new FormatError('PyTorch: this is a TorchScript archive: save model.state_dict() instead, with torch.save.');
  }
  const order = entries.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(order.content) !== 'little') {
    throw new FormatError('PyTorch: the file was saved on a big-endian machine: save it again on a little-endian one.');
  }
  const { value: root } = readPickle(checkedContent(pickle), 0, rulesFor(zipStorage));
  const checked = new Map<ZipEntry, Uint8Array>();
  const content = ({ key, dtype, size }: Storage): Uint8Array => {
    const entry = entries.get(`${folder}data/${key}`);
    if (!entry) throw new FormatError(`PyTorch: the archive lacks the storage ${quoted(key)}: the file is damaged.`);
    if (entry.content.length !== size * dtypes[dtype].bytes) {
      throw new FormatError(
        `PyTorch: storage ${quoted(key)} has ${entry.content.length} bytes, not the ${size * dtypes[dtype].bytes} of ${size} values.`,
      );
    }
    if (!checked.has(entry)) checked.set(entry, checkedContent(entry));
    return entry.content;
  };
  return { root, content };
}

/** PyTorch before 1.6: five pickles (magic, protocol, machine, the object, the storages' keys), then the storages. */
function readLegacy(bytes: Uint8Array): Content {
  const storages = new Map<string, Storage>();
  const rules = rulesFor((id) => legacyStorage(id, storages));
  const magic = readPickle(bytes, 0, rules);
  if (magic.value !== MAGIC) throw new FormatError('PyTorch: the pickle does not begin as a file of torch.save.');
  const protocol = readPickle(bytes, magic.end, rules);
  if (protocol.value !== 1001) throw new FormatError(`PyTorch: the protocol of the file is ${String(protocol.value)}, not 1001.`);
  const machine = readPickle(bytes, protocol.end, rules);
  if (!(machine.value instanceof Map) || machine.value.get('little_endian') !== true) {
    throw new FormatError('PyTorch: the file was saved on a big-endian machine: save it again on a little-endian one.');
  }
  const object = readPickle(bytes, machine.end, rules);
  const keys = readPickle(bytes, object.end, rules);
  if (!Array.isArray(keys.value)) throw new FormatError('PyTorch: the list of storages is missing: the file is damaged.');
  const contents = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = keys.end;
  for (const key of keys.value as unknown[]) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage) throw new FormatError('PyTorch: a storage is listed that no tensor has: the file is damaged.');
    const end = at + 8 + storage.size * dtypes[storage.dtype].bytes;
    if (end > bytes.length) throw new FormatError(`PyTorch: storage ${quoted(storage.key)} is cut off: download the file again.`);
    if (view.getBigInt64(at, true) !== BigInt(storage.size)) {
      throw new FormatError(`PyTorch: storage ${quoted(storage.key)} does not hold ${storage.size} values: the file is damaged.`);
    }
    contents.set(storage.key, bytes.subarray(at + 8, end));
    at = end;
  }
  const content = ({ key }: Storage): Uint8Array => {
    const found = contents.get(key);
    if (!found) throw new FormatError(`PyTorch: the file lacks the storage ${quoted(key)}: it is damaged.`);
    return found;
  };
  return { root: object.value, content };
}

/** What weights need: ordered dicts, tensors and parameters, the names of storage classes. Everything else is refused. */
function rulesFor(persistent: (id: readonly unknown[]) => Storage): PickleRules {
  return {
    global: (name) => {
      const call = Object.hasOwn(calls, name) ? calls[name] : undefined;
      const storage = /^torch\.(\w+)$/.exec(name)?.[1];
      if (call || (storage !== undefined && Object.hasOwn(storageTypes, storage))) return new PickleGlobal(name, call);
      throw new FormatError(
        `PyTorch: the file refers to ${quoted(name)}; only tensors in dicts are read, nothing is executed. ` +
          'In Python, save model.state_dict() alone, with torch.save or as safetensors.',
      );
    },
    persistent: (id) => {
      if (!(id instanceof PickleTuple) || id.items[0] !== 'storage') throw damaged('a storage');
      return persistent(id.items);
    },
    build: (object) => {
      // A state dict carries the versions of its modules (`_metadata`), which names and shapes make up for.
      if (!(object instanceof Map)) throw new FormatError('PyTorch: sets the state of what is not a dict: refused.');
    },
  };
}

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
function zipStorage([, type, key, , size]: readonly unknown[]): Storage {
  const name = type instanceof PickleGlobal ? type.name.replace(/^torch\./, '') : '';
  if (!Object.hasOwn(storageTypes, name) || typeof key !== 'string' || !isCount(size)) throw damaged('a storage');
  return { key, dtype: storageTypes[name], size, offset: 0 };
}

/** The same, then none or (key of the view, its offset, its size). Keeps the whole storages by key. */
function legacyStorage(items: readonly unknown[], storages: Map<string, Storage>): Storage {
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

/** Where checkpoints keep the model's state, in the order of preference. */
const stateKeys = ['state_dict', 'model', 'model_state_dict', 'ema'] as const;

function selectState(root: unknown): ReadonlyMap<unknown, unknown> {
  if (!(root instanceof Map)) {
    throw new FormatError('PyTorch: the file holds no dict of tensors: save model.state_dict() with torch.save.');
  }
  const nested = stateKeys.map((key): unknown => root.get(key)).find(holdsTensors);
  const state = nested ?? (holdsTensors(root) ? root : undefined);
  if (state) return state;
  const keys = [...root.keys()].slice(0, 10).map((key) => quoted(String(key)));
  throw new FormatError(
    `PyTorch: no tensors at the top of the file or under ${stateKeys.join(', ')}; ${keys.length > 0 ? `it holds ${keys.join(', ')}` : 'it is empty'}.`,
  );
}

const holdsTensors = (value: unknown): value is Map<unknown, unknown> =>
  value instanceof Map && [...value.values()].some((item) => item instanceof StoredTensor);
