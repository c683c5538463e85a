import { PbfWriter } from 'pbf';
import type { Attribute, DType, Node } from '../graph.js';

/** What an ONNX file says, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. */
export interface Model {
  readonly nodes: readonly {
    readonly node: Pick<Node, 'op' | 'domain' | 'attributes'>;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
  }[];
  readonly inputs: readonly (ValueInfo | Unsized)[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: readonly Initializer[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A tensor's name, type and dimensions; a dimension that is a name is open. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly (number | string)[];
}

/** A tensor of which nothing but name and type is said. */
export type Unsized = Omit<ValueInfo, 'dims'>;

export interface Initializer {
  readonly name: string;
  readonly dtype: ElementType;
  readonly dims: readonly number[];
  /** Little-endian values. */
  readonly bytes: Uint8Array;
}

/** The opset of ONNX whose ops the kernels record, and the version of the file format that came with it. */
export const OPSET = 17;
export const IR_VERSION = 8;

export type ElementType = DType | 'float16' | 'int8' | 'uint8';
const elementTypes: Readonly<Record<ElementType, number>> = {
  ...{ float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10 },
};

/** The bytes of an ONNX file. */
export function encodeModel(model: Model): Uint8Array {
  // Room for the weights at once: a buffer that doubles as it fills would hold them three times.
  const weights = model.initializers.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const pbf = new PbfWriter(new Uint8Array(weights + 256 * (model.nodes.length + model.initializers.length) + 4096));
  pbf.writeVarintField(1, IR_VERSION);
  pbf.writeStringField(2, 'convkit');
  pbf.writeMessage(7, writeGraph, model);
  for (const domain of new Set(['', ...model.nodes.map(({ node }) => node.domain)])) pbf.writeMessage(8, writeOpset, domain);
  for (const entry of Object.entries(model.metadata ?? {})) pbf.writeMessage(14, writeEntry, entry);
  return pbf.finish();
}

function writeOpset(domain: string, pbf: PbfWriter): void {
  if (domain !== '') pbf.writeStringField(1, domain);
  pbf.writeVarintField(2, domain === '' ? OPSET : 1);
}

function writeEntry([key, value]: [string, string], pbf: PbfWriter): void {
  pbf.writeStringField(1, key);
  pbf.writeStringField(2, value);
}

function writeGraph(model: Model, pbf: PbfWriter): void {
  for (const entry of model.nodes) pbf.writeMessage(1, writeNode, entry);
  pbf.writeStringField(2, 'convkit');
  for (const initializer of model.initializers) pbf.writeMessage(5, writeTensor, initializer);
  for (const input of model.inputs) pbf.writeMessage(11, writeValueInfo, input);
  for (const output of model.outputs) pbf.writeMessage(12, writeValueInfo, output);
}

function writeNode({ node, inputs, outputs }: Model['nodes'][number], pbf: PbfWriter): void {
  for (const input of inputs) pbf.writeStringField(1, input);
  for (const output of outputs) pbf.writeStringField(2, output);
  pbf.writeStringField(3, `${node.op}_${outputs[0]}`);
  pbf.writeStringField(4, node.op);
  for (const entry of Object.entries(node.attributes)) pbf.writeMessage(5, writeAttribute, entry);
  if (node.domain !== '') pbf.writeStringField(7, node.domain);
}

function writeAttribute([name, value]: [string, Attribute], pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  const type = (kind: number) => pbf.writeVarintField(20, kind);
  if (typeof value === 'number') {
    pbf.writeVarintField(3, value);
    type(2);
  } else if (typeof value === 'string') {
    pbf.writeStringField(4, value);
    type(3);
  } else if ('float' in value) {
    pbf.writeFloatField(2, value.float);
    type(1);
  } else if ('floats' in value) {
    for (const n of value.floats) pbf.writeFloatField(7, n);
    type(6);
  } else {
    for (const n of value) pbf.writeVarintField(8, n);
    type(7);
  }
}

function writeTensor({ name, dtype, dims, bytes }: Initializer, pbf: PbfWriter): void {
  for (const n of dims) pbf.writeVarintField(1, n);
  pbf.writeVarintField(2, elementTypes[dtype]);
  pbf.writeStringField(8, name);
  pbf.writeBytesField(9, bytes);
}

function writeValueInfo(info: ValueInfo | Unsized, pbf: PbfWriter): void {
  pbf.writeStringField(1, info.name);
  pbf.writeMessage(2, writeType, info);
}

function writeType(info: ValueInfo | Unsized, pbf: PbfWriter): void {
  pbf.writeMessage(1, writeTensorType, info);
}

function writeTensorType(info: ValueInfo | Unsized, pbf: PbfWriter): void {
  pbf.writeVarintField(1, elementTypes[info.dtype]);
  if ('dims' in info) pbf.writeMessage(2, writeShape, info.dims);
}

function writeShape(dims: readonly (number | string)[], pbf: PbfWriter): void {
  for (const dim of dims) pbf.writeMessage(1, writeDimension, dim);
}

function writeDimension(dim: number | string, pbf: PbfWriter): void {
  if (typeof dim === 'number') pbf.writeVarintField(1, dim);
  else pbf.writeStringField(2, dim);
}
