import { ArgumentError, FormatError, type HostTensor, type Parameter, type StateDict, type WeightsFile } from '@convkit/core';
import { decodeWeights } from '@convkit/core';
import { type DarknetConfig, isHead } from './config.js';
import { DarknetNetwork } from './network.js';
import { withClasses } from './with-classes.js';

/** What a `.weights` file says of itself. */
export interface DarknetHeader {
  /** Of the program that wrote it. */
  readonly version: readonly [major: number, minor: number, revision: number];
  /** Images that the net was trained on. */
  readonly seen: bigint;
  /** Where the weights start: 16 before version 0.2, then 20. */
  readonly bytes: number;
  /** Connected layers are stored [in, out]. */
  readonly transposed: boolean;
}

/** A file that ends at the end of a layer before the net's last one, such as `darknet53.conv.74`. */
export interface DarknetWeights {
  readonly header: DarknetHeader;
  /** By their names in the net. */
  readonly tensors: StateDict;
  /** Layers of the net that the file covers, those without weights included. */
  readonly layers: number;
}

/** The header. Throws FormatError when the bytes do not start like a `.weights` file. */
export function readDarknetHeader(bytes: Uint8Array, name: string): DarknetHeader {
  if (!looksLikeDarknet(bytes)) {
    throw new FormatError(
      `${name}: expected a Darknet header (three version numbers and a count of images), found something else.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = [view.getInt32(0, true), view.getInt32(4, true), view.getInt32(8, true)] as const;
  const [major, minor] = version;
  const transposed = major > 1000 || minor > 1000;
  const wide = major * 10 + minor >= 2 && !transposed;
  if (wide && bytes.length < 20) throw new FormatError(`${name}: expected a header of 20 bytes, found ${bytes.length} bytes.`);
  return {
    version,
    seen: wide ? view.getBigInt64(12, true) : BigInt(view.getInt32(12, true)),
    bytes: wide ? 20 : 16,
    transposed,
  };
}

/** Small numbers for the version: a safetensors file or a zip archive has letters there. */
function looksLikeDarknet(bytes: Uint8Array): boolean {
  if (bytes.length < 16) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 12);
  return [0, 4, 8].every((at) => view.getInt32(at, true) >= 0 && view.getInt32(at, true) < 2000);
}

/**
 * Reads a `.weights` file: for each layer its bias, or β, γ, mean and variance, and its weights, all float32. Every byte must belong to
 * a layer; a file that ends with a layer before the last is a backbone, and `layers` says how far it goes.
 *
 * Throws FormatError that names the layer, and the bytes expected and found, where the file is cut off or too long, and for a value that is
 * not a finite number.
 */
export function readDarknetWeights(bytes: Uint8Array, network: DarknetNetwork, name: string): DarknetWeights {
  const header = readDarknetHeader(bytes, name);
  const states = new Map(network.state());
  const tensors: StateDict = new Map();
  const expected = header.bytes + 4 * fileValues(network);
  let at = header.bytes;
  for (const [index, layer] of network.layers.entries()) {
    if (!layer.weighted) continue;
    if (at === bytes.length && at > header.bytes) return { header, tensors, layers: index };
    for (const part of layer.weighted.fileOrder) {
      const entry = `${index}.${part}`;
      const { shape, size, layout } = states.get(entry) as Parameter;
      if (bytes.length - at < 4 * size) {
        throw new FormatError(
          `${name}: layer ${index} [${layer.config.kind}] (line ${layer.config.line}) needs ${4 * size} bytes for ${part}, ` +
            `the file has ${bytes.length - at} left; the whole net takes ${expected} bytes, found ${bytes.length}.`,
        );
      }
      const values = floats(bytes, at, size);
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) {
        throw new FormatError(`${name}: value ${bad} of ${part} of layer ${index} [${layer.config.kind}] is ${values[bad]}.`);
      }
      const flip = header.transposed && layout === 'linear';
      tensors.set(entry, { dtype: 'F32', shape, data: flip ? transpose(values, shape) : values });
      at += 4 * size;
    }
  }
  if (at < bytes.length) {
    throw new FormatError(
      `${name}: the net's ${network.layers.length} layers take ${expected} bytes, the file has ${bytes.length}: it is of another net, or of other classes.`,
    );
  }
  return { header, tensors, layers: network.layers.length };
}

/**
 * Reads the whole net from a `.weights` file, which may be of other classes than the `.cfg` file says: their number follows from its length.
 * Safetensors and PyTorch's files are read as core does. For `ModelFactory.decodeWeights`.
 */
export function decodeDarknetWeights(bytes: Uint8Array, cfg: () => DarknetConfig, name: string): WeightsFile {
  if (!looksLikeDarknet(bytes)) return decodeWeights(bytes, name);
  const config = cfg();
  const values = (bytes.length - readDarknetHeader(bytes, name).bytes) / 4;
  const net = new DarknetNetwork(config);
  const classes = fileValues(net) === values ? undefined : classesBy(config, values);
  const { tensors, layers } = readDarknetWeights(bytes, classes ? new DarknetNetwork(withClasses(config, classes)) : net, name);
  if (layers < net.layers.length) {
    throw new FormatError(
      `${name} has weights of the first ${layers} of ${net.layers.length} layers: load it with loadDarknetBackbone, which leaves the others as they are.`,
    );
  }
  return { tensors, metadata: {}, preprocessing: undefined };
}

/** The number of classes with which the net has this many values; they grow by the same number with each class. */
function classesBy(config: DarknetConfig, values: number): number | undefined {
  if (!config.layers.some(isHead)) return undefined;
  const [one, two] = [1, 2].map((classes) => fileValues(new DarknetNetwork(withClasses(config, classes)))) as [number, number];
  const classes = 1 + (values - one) / (two - one);
  return Number.isInteger(classes) && classes >= 1 ? classes : undefined;
}

/** The `.weights` file of a net, as Darknet 0.2.5 writes it; `readDarknetWeights` gives the same values back, bit by bit. */
export async function encodeDarknetWeights(
  { network }: { readonly network: DarknetNetwork },
  { version = [0, 2, 5], seen = 0n }: Partial<Pick<DarknetHeader, 'version' | 'seen'>> = {},
): Promise<Uint8Array> {
  const [major, minor] = version;
  if (major > 1000 || minor > 1000)
    throw new ArgumentError(`Version ${version.join('.')} means transposed weights, which are not written.`);
  const wide = major * 10 + minor >= 2;
  const bytes = new Uint8Array((wide ? 20 : 16) + 4 * fileValues(network));
  const view = new DataView(bytes.buffer);
  version.forEach((number, i) => view.setInt32(4 * i, number, true));
  if (wide) view.setBigInt64(12, seen, true);
  else view.setInt32(12, Number(seen), true);
  const states = new Map(network.state());
  let at = wide ? 20 : 16;
  for (const [index, { weighted }] of network.layers.entries()) {
    for (const part of weighted?.fileOrder ?? []) {
      const values = await (states.get(`${index}.${part}`) as Parameter).read();
      bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
      at += values.byteLength;
    }
  }
  return bytes;
}

/** Values in the file of a whole net. */
const fileValues = (network: DarknetNetwork): number =>
  [...network.state()].reduce((sum, [, state]) => sum + (state.kind === 'counter' ? 0 : state.size), 0);

/** A view where the alignment allows it, else a copy. */
function floats(bytes: Uint8Array, at: number, count: number): Float32Array {
  const start = bytes.byteOffset + at;
  if (start % 4 === 0) return new Float32Array(bytes.buffer, start, count);
  return new Float32Array(bytes.buffer.slice(start, start + 4 * count));
}

/** [in, out] → [out, in] */
function transpose(values: Float32Array, [out, input]: HostTensor['shape']): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % input) * out + Math.floor(i / input)]);
}
