import { ArgumentError, type Classifier, type Module, inference } from '@convkit/core';
import type { Detector } from '@convkit/core/detection';
import type { Tensor } from '@tensorflow/tfjs-core';
import { type InputShape, traceOpen } from './compiled-model.js';
import { currentBackend } from './current.js';
import type { Value } from './graph.js';
import { inferenceModel } from './inference-model.js';
import { type Layout, NCHW, plainLayout } from './layout.js';
import { type NmsLimits, withSuppression } from './nms.js';
import { type Model, encodeModel } from './proto/model.js';
import { halfWeights } from './weights-half.js';
import { quantized } from './weights-int8.js';

export interface ExportOptions {
  /** Images at once; default: any number. */
  readonly batch?: number | 'any';
  /** Height and width; 'any' where the net allows it. Default: the size that the net was made for. */
  readonly size?: readonly [height: number, width: number] | 'any';
  /**
   * How weights are stored. float16: half the size, computed in float32. int8: a quarter; convolutions and linear layers are computed
   * with whole numbers, activations quantised as they come (dynamic quantisation). Default: float32.
   */
  readonly weights?: 'float32' | 'float16' | 'int8';
  /** Detectors: adds an output `detections`, what non-maximum suppression leaves; true for the net's usual limits. */
  readonly nms?: boolean | Partial<NmsLimits>;
  /** More entries for the file's metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A net as an ONNX file (opset 17), for ONNX Runtime and whatever else reads it: one input `images` [N, 3, H, W], a classifier's
 * `logits` [N, classes], or a detector's `boxes` [N, n, 4] (corners in pixels of the input), `scores` [N, n, classes] and what its task
 * adds. Weights keep their names. The metadata holds the classes and the preprocessing as JSON.
 *
 * Throws BackendError on another backend than onnx, ArgumentError where the net does not allow the open size.
 */
export function exportOnnx(model: Module<unknown>, options: ExportOptions = {}): Uint8Array {
  const { weights = 'float32' } = options;
  const store = { float32: (plain: Model) => plain, float16: halfWeights, int8: quantized }[weights];
  return encodeModel(store(float32Model(model, options)));
}

function float32Model(model: Module<unknown>, { batch = 'any', size, nms = false, metadata }: ExportOptions): Model {
  const [height, width] = size === 'any' ? [null, null] : (size ?? ownSize(model));
  const shape: InputShape = [batch === 'any' ? null : batch, height, width, 3];
  const compute = isDetector(model) ? (x: Tensor) => model.propose(x) : (x: Tensor) => model.forward(x, inference);
  const { trace, open } = traceOpen<unknown>(currentBackend(), model, compute, shape, { input: NCHW, output: portable });
  const names = trace.program.outputs.map((slot) => {
    const path = trace.paths[trace.outputs.findIndex((value) => value.slot === slot)];
    return path || 'logits';
  });
  const plain = inferenceModel(trace, open, { input: 'images', outputs: names });
  const described = { ...plain, metadata: { ...description(model), ...metadata } };
  if (nms === false) return described;
  if (!isDetector(model)) throw new ArgumentError('Only detectors have boxes to suppress: leave `nms` out.');
  return withSuppression(described, nms === true ? {} : nms);
}

/** Images as PyTorch has them, the rest as tfjs has it. */
const portable = (value: Value): Layout => (value.rank === 4 ? NCHW : plainLayout(value.rank));

function ownSize(model: Module<unknown>): readonly [number, number] {
  if (isDetector(model)) return model.inputSize;
  if (isClassifier(model)) {
    const { size } = model.preprocessing;
    return typeof size === 'number' ? [size, size] : size;
  }
  throw new ArgumentError('Say the `size` of the images, [height, width]: this net has none of its own.');
}

/** What a reader of the file needs to know besides the graph. */
function description(model: Module<unknown>): Record<string, string> {
  if (isDetector(model)) {
    const preprocessing = { fit: 'letterbox', scale: 1 / 255 };
    return { task: model.task, classes: JSON.stringify(model.classes), preprocessing: JSON.stringify(preprocessing) };
  }
  if (!isClassifier(model)) return {};
  return {
    task: 'classify',
    classes: JSON.stringify(model.classes),
    preprocessing: JSON.stringify(model.preprocessing),
  };
}

// Told by what they have: a net of another copy of @convkit/core is of another class.
export const isDetector = (model: Module<unknown>): model is Detector => 'propose' in model;
const isClassifier = (model: Module<unknown>): model is Classifier => 'classifyAll' in model;
