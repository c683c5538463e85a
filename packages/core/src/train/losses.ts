import {
  type Scalar,
  type Tensor,
  abs,
  add,
  customGrad,
  div,
  exp,
  log,
  log1p,
  max,
  mul,
  neg,
  relu,
  sigmoid,
  sub,
  sum,
  tensor,
} from '@tensorflow/tfjs-core';
import { ArgumentError, ShapeError } from '../errors.js';

/** The loss of a batch, by custom its mean over the images. The labels stay on the host, where they are checked. */
export type Loss<Output = Tensor, Labels = Int32Array> = (output: Output, labels: Labels) => Scalar;

export interface CrossEntropyOptions {
  /** Share ε of the target that is spread evenly over all classes (Szegedy et al. 2016). Default 0. */
  labelSmoothing?: number;
  /** A weight for each class; the mean is then weighted, as in `torch.nn.CrossEntropyLoss`. */
  weight?: readonly number[] | Float32Array;
}

/**
 * Mean over the batch of −Σ_c q_c · log softmax(x)_c, q = (1 − ε) · onehot + ε / C: logits [N, C] and N class indices → a scalar.
 * The gradient (softmax − q) / N is computed with it. Throws ShapeError for other shapes, ArgumentError for a label
 * outside 0 … C − 1.
 */
export function crossEntropy(options: CrossEntropyOptions = {}): Loss {
  const { labelSmoothing = 0, weight } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing must be in [0, 1], found ${labelSmoothing}.`);
  }
  return (logits, labels) => {
    const [n, classes] = logits.shape;
    if (logits.rank !== 2 || n !== labels.length) {
      throw new ShapeError(
        `crossEntropy: expected logits of [${labels.length}, classes] for ${labels.length} labels, found [${logits.shape.join()}].`,
      );
    }
    if (weight && weight.length !== classes) {
      throw new ShapeError(`crossEntropy: expected a weight for each of ${classes} classes, found ${weight.length}.`);
    }
    const { targets, rowSums } = smoothTargets(labels, classes, labelSmoothing, weight);
    const value = customGrad((x, save) => {
      const q = tensor(targets, [n, classes], 'float32');
      const rows = tensor(rowSums, [n, 1], 'float32');
      const shifted = sub(x as Tensor, max(x as Tensor, 1, true));
      const e = exp(shifted);
      const z = sum(e, 1, true);
      const gradient = sub(mul(e, div(rows, z)), q);
      (save as (tensors: Tensor[]) => void)([gradient]);
      const loss = sub(sum(mul(rows, log(z))), sum(mul(q, shifted)));
      return { value: loss, gradFunc: (dy: Tensor, saved: Tensor[]) => mul(saved[0], dy) };
    });
    return value(logits) as Scalar;
  };
}

/** The target distribution of each row and its sum, both divided by the weight of the whole batch. */
function smoothTargets(labels: Int32Array, classes: number, smoothing: number, weight?: readonly number[] | Float32Array) {
  const of = (c: number): number => weight?.[c] ?? 1;
  let total = 0;
  for (const label of labels) {
    if (label < 0 || label >= classes) {
      throw new ArgumentError(`crossEntropy: label ${label} is outside 0 … ${classes - 1}, the model's ${classes} classes.`);
    }
    total += of(label);
  }
  let all = 0;
  for (let c = 0; c < classes; c++) all += of(c);
  const targets = new Float32Array(labels.length * classes);
  const rowSums = new Float32Array(labels.length);
  labels.forEach((label, row) => {
    if (smoothing > 0) {
      for (let c = 0; c < classes; c++) targets[row * classes + c] = ((smoothing / classes) * of(c)) / total;
    }
    targets[row * classes + label] = ((1 - smoothing) * of(label) + (smoothing / classes) * of(label)) / total;
    rowSums[row] = ((1 - smoothing) * of(label) + (smoothing / classes) * all) / total;
  });
  return { targets, rowSums };
}

/**
 * Mean over all elements of max(x, 0) − x · t + log(1 + e^−|x|), the cross entropy of sigmoid(x) and t, for several labels an
 * image: logits of any shape, and as many targets in 0 … 1 → a scalar. As `torch.nn.BCEWithLogitsLoss`.
 */
export function bceWithLogits(): Loss<Tensor, Float32Array> {
  return (logits, targets) => {
    if (logits.size !== targets.length) {
      throw new ShapeError(`bceWithLogits: expected a target for each of the ${logits.size} logits, found ${targets.length}.`);
    }
    const wrong = targets.findIndex((t) => !(t >= 0 && t <= 1));
    if (wrong >= 0) throw new ArgumentError(`bceWithLogits: target ${targets[wrong]} at index ${wrong} is outside 0 … 1.`);
    const value = customGrad((x, save) => {
      const logit = x as Tensor;
      const t = tensor(targets.slice(), logit.shape, 'float32');
      (save as (tensors: Tensor[]) => void)([div(sub(sigmoid(logit), t), logit.size)]);
      const each = add(sub(relu(logit), mul(logit, t)), log1p(exp(neg(abs(logit)))));
      return { value: div(sum(each), logit.size), gradFunc: (dy: Tensor, saved: Tensor[]) => mul(saved[0], dy) };
    });
    return value(logits) as Scalar;
  };
}
