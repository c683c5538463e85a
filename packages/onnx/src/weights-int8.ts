import { type ModelNode, floatList, modelNode } from './model-node.js';
import type { Initializer, Model } from './proto/model.js';
import { floats } from './weights-half.js';

/**
 * Weights of convolutions and linear layers in int8, one scale for each output channel; activations are quantised to uint8 by their
 * range as they come (DynamicQuantizeLinear), products are summed in int32. Grouped convolutions stay as they are: their few weights
 * save nothing.
 */
export function quantized(model: Model): Model {
  const weights = new Map(model.initializers.map((initializer) => [initializer.name, initializer]));
  const uses = new Map<string, number>();
  for (const { inputs } of model.nodes) for (const name of inputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  const activations = new Set<string>();
  const nodes = model.nodes.flatMap((entry) => {
    const { node, inputs } = entry;
    const weight = weights.get(inputs[1] ?? '');
    if (weight?.dtype !== 'float32' || uses.get(weight.name) !== 1) return [entry];
    if (node.op === 'Conv' && node.attributes.group === 1) return integerConv(entry, weight, weights, activations);
    if (node.op === 'Gemm' && node.attributes.transA === 0) return integerGemm(entry, weight, weights, activations);
    return [entry];
  });
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  return { ...model, nodes, initializers: [...weights.values()].filter(({ name }) => used.has(name)) };
}

type Weights = Map<string, Initializer>;

/** Quantises an activation, once however often it is used. */
function quantize(x: string, done: Set<string>): ModelNode[] {
  if (done.has(x)) return [];
  done.add(x);
  return [modelNode('DynamicQuantizeLinear', [x], [`${x}.q`, `${x}.scale`, `${x}.zero`])];
}

function integerConv(
  { node, inputs, outputs }: ModelNode,
  weight: Initializer,
  weights: Weights,
  done: Set<string>,
): readonly ModelNode[] {
  const [x, , bias] = inputs;
  const channels = weight.dims[0];
  const { values, scales } = rows(floats(weight), channels);
  store(weight, weights, { values, dims: weight.dims, scales, spread: [1, channels, 1, 1] });
  const biased: ModelNode[] = [];
  if (bias) {
    weights.set(`${bias}.spread`, { ...weights.get(bias)!, name: `${bias}.spread`, dims: [1, channels, 1, 1] });
    biased.push(modelNode('Add', [`${outputs[0]}.scaled`, `${bias}.spread`], outputs));
  }
  return [
    ...quantize(x, done),
    modelNode('ConvInteger', [`${x}.q`, `${weight.name}.int8`, `${x}.zero`], [`${outputs[0]}.int32`], node.attributes),
    ...rescale(x, weight.name, outputs[0], bias ? `${outputs[0]}.scaled` : outputs[0]),
    ...biased,
  ];
}

function integerGemm(
  { node, inputs, outputs }: ModelNode,
  weight: Initializer,
  weights: Weights,
  done: Set<string>,
): readonly ModelNode[] {
  const [x, , bias] = inputs;
  const [first, second] = weight.dims as [number, number];
  const columns = node.attributes.transB === 1 ? first : second;
  const depth = (first * second) / columns;
  const source = floats(weight);
  const perColumn = node.attributes.transB === 1 ? source : transposed(source, depth, columns);
  const { values, scales } = rows(perColumn, columns);
  store(weight, weights, { values: transposed(values, columns, depth), dims: [depth, columns], scales, spread: [columns] });
  return [
    ...quantize(x, done),
    modelNode('MatMulInteger', [`${x}.q`, `${weight.name}.int8`, `${x}.zero`], [`${outputs[0]}.int32`]),
    ...rescale(x, weight.name, outputs[0], bias ? `${outputs[0]}.scaled` : outputs[0]),
    ...(bias ? [modelNode('Add', [`${outputs[0]}.scaled`, bias], outputs)] : []),
  ];
}

/** int32 sums back to float32: times the activation's scale and the channel's. */
const rescale = (x: string, weight: string, sum: string, result: string): ModelNode[] => [
  modelNode('Cast', [`${sum}.int32`], [`${sum}.float`], { to: 1 }),
  modelNode('Mul', [`${x}.scale`, `${weight}.scale`], [`${sum}.factor`]),
  modelNode('Mul', [`${sum}.float`, `${sum}.factor`], [result]),
];

interface Quantised {
  readonly values: Int8Array;
  readonly dims: readonly number[];
  readonly scales: readonly number[];
  readonly spread: readonly number[];
}

function store({ name }: Initializer, weights: Weights, { values, dims, scales, spread }: Quantised): void {
  weights.delete(name);
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  weights.set(`${name}.int8`, { name: `${name}.int8`, dtype: 'int8', dims, bytes });
  weights.set(`${name}.scale`, floatList(`${name}.scale`, scales, spread));
}

/** Each of `count` rows scaled by its largest value to −127 … 127. */
function rows(source: Float32Array, count: number): { values: Int8Array; scales: number[] } {
  const values = new Int8Array(source.length);
  const size = source.length / count;
  const scales = Array.from({ length: count }, (_, row) => {
    let largest = 0;
    for (let i = row * size; i < (row + 1) * size; i++) largest = Math.max(largest, Math.abs(source[i]));
    const scale = largest / 127 || 1;
    for (let i = row * size; i < (row + 1) * size; i++) values[i] = Math.round(source[i] / scale);
    return scale;
  });
  return { values, scales };
}

function transposed<T extends Float32Array | Int8Array>(values: T, height: number, width: number): T {
  const result = values.slice() as T;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) result[x * height + y] = values[y * width + x];
  return result;
}
