import { FormatError } from '../errors.js';
import { type StateDict, dtypes, quoted } from './host-tensor.js';
import { PickleObject, readPickle } from './pickle.js';
import { classNamesOf, isModuleRecord, moduleState } from './pytorch-module.js';
import { legacyStorage, rulesFor, zipStorage } from './pytorch-rules.js';
import { type Storage, StoredTensor, TensorReader } from './pytorch-tensor.js';
import { type ZipEntry, checkedContent, looksLikeZip, readZip } from './zip.js';

/** The number that files of PyTorch before 1.6 begin with, as a pickle of its own. */
const MAGIC = 0x1950a86a20f9469cfc6cn;

/** Does this begin as what torch.save writes: a zip archive, or (before PyTorch 1.6) a pickle? */
export function looksLikePyTorch(bytes: Uint8Array): boolean {
  return looksLikeZip(bytes) || (bytes.length > 14 && bytes[0] === 0x80 && bytes[2] === 0x8a && bytes[3] === 10);
}

/** What a file of torch.save says of a model. */
export interface PyTorchFile {
  readonly tensors: StateDict;
  /** The names of its classes, where a whole module was saved that has them (`names`). */
  readonly classes: readonly string[] | undefined;
}

/**
 * The state dict in a file of torch.save (`.pth`, `.pt`), of any PyTorch since 0.4. In a checkpoint that holds more, it is the
 * dict or module under `state_dict`, `model`, `model_state_dict` or `ema`, the first that there is; what is no tensor is left out.
 * Contiguous tensors are views into `bytes`, which must not change afterwards.
 *
 * The pickle inside is read as data: nothing in it is executed. Of a module that was saved whole, the parameters and buffers are
 * found by their names, whatever its classes are; any function beyond those that tensors need is refused by its name. Throws
 * FormatError for that, and for a file that is damaged, cut off or holds no tensors.
 */
export function decodePyTorch(bytes: Uint8Array): StateDict {
  return decodePyTorchFile(bytes).tensors;
}

/** The same, and what else the file says of the model. */
export function decodePyTorchFile(bytes: Uint8Array): PyTorchFile {
  const { root, content } = looksLikeZip(bytes) ? readArchive(bytes) : readLegacy(bytes);
  const reader = new TensorReader(content, bytes.length);
  const tensors: StateDict = new Map();
  const found = selectState(root);
  for (const [name, value] of found instanceof PickleObject ? moduleState(found) : found) {
    if (!(value instanceof StoredTensor)) continue;
    if (typeof name !== 'string') throw new FormatError('PyTorch: a tensor has a name that is not a string.');
    tensors.set(name, reader.read(name, value));
  }
  return { tensors, classes: found instanceof PickleObject ? classNamesOf(found) : undefined };
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

/** Where checkpoints keep the model's state, in the order of preference. */
const stateKeys = ['state_dict', 'model', 'model_state_dict', 'ema'] as const;

function selectState(root: unknown): ReadonlyMap<unknown, unknown> | PickleObject {
  if (isModuleRecord(root)) return root;
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

const holdsTensors = (value: unknown): value is Map<unknown, unknown> | PickleObject =>
  isModuleRecord(value) || (value instanceof Map && [...value.values()].some((item) => item instanceof StoredTensor));
