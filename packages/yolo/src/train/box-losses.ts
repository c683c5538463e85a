import {
  type Scalar,
  type Tensor,
  abs,
  add,
  atan,
  clone,
  customGrad,
  div,
  exp,
  log1p,
  logSoftmax,
  maximum,
  minimum,
  mul,
  neg,
  relu,
  reshape,
  sigmoid,
  softmax,
  split,
  square,
  sub,
  sum,
  tensor1d,
  zerosLike,
} from '@tensorflow/tfjs-core';

const EPS = 1e-7;

/** The same value, through which no gradient goes. */
export function stopGradient(x: Tensor): Tensor {
  return customGrad((input) => ({ value: clone(input as Tensor), gradFunc: (dy: Tensor) => zerosLike(dy) }))(x);
}

/** How the overlap of two boxes is measured; `iou`, `giou`, `diou` and `ciou` of core's detection are the same for single boxes. */
export type Overlap = 'iou' | 'giou' | 'diou' | 'ciou';

/**
 * Overlap of pairs of boxes, [..., 4] corners each → [..., 1]: IoU, generalized (Rezatofighi et al. 2019, arXiv:1902.09630),
 * distance or complete IoU (Zheng et al. 2020, arXiv:1911.08287), with YOLOv8's 1e-7 in heights and denominators. No gradient goes
 * through the α of the complete IoU, as in the paper.
 */
export function overlapOf(a: Tensor, b: Tensor, kind: Overlap): Tensor {
  const [ax1, ay1, ax2, ay2] = split(a, 4, -1);
  const [bx1, by1, bx2, by2] = split(b, 4, -1);
  const [aw, ah, bw, bh] = [sub(ax2, ax1), add(sub(ay2, ay1), EPS), sub(bx2, bx1), add(sub(by2, by1), EPS)];
  const shared = mul(relu(sub(minimum(ax2, bx2), maximum(ax1, bx1))), relu(sub(minimum(ay2, by2), maximum(ay1, by1))));
  const union = add(sub(add(mul(aw, ah), mul(bw, bh)), shared), EPS);
  const iou = div(shared, union);
  if (kind === 'iou') return iou;
  const aroundX = sub(maximum(ax2, bx2), minimum(ax1, bx1));
  const aroundY = sub(maximum(ay2, by2), minimum(ay1, by1));
  if (kind === 'giou') {
    const around = add(mul(aroundX, aroundY), EPS);
    return sub(iou, div(sub(around, union), around));
  }
  const diagonal = add(add(square(aroundX), square(aroundY)), EPS);
  const apart = add(square(sub(add(ax1, ax2), add(bx1, bx2))), square(sub(add(ay1, ay2), add(by1, by2))));
  const diou = sub(iou, div(apart, mul(diagonal, 4)));
  if (kind === 'diou') return diou;
  const v = mul(square(sub(atan(div(bw, bh)), atan(div(aw, ah)))), 4 / Math.PI ** 2);
  const alpha = stopGradient(div(v, add(sub(v, iou), 1 + EPS)));
  return sub(diou, mul(alpha, v));
}

/**
 * Σ weight · (−Σ_bin target · log softmax(logits)) / 4 over all sides, the distribution focal loss (Li et al. 2020,
 * arXiv:2006.04388): logits [N, A, 4 · bins], distances [N, A, 4] in 0 … bins − 1, weights [N, A, 1] → a scalar. The target of a
 * distance between two bins is shared among them linearly.
 */
export function distributionFocalLoss(logits: Tensor, distances: Tensor, weights: Tensor, bins: number): Scalar {
  const [n, anchors] = logits.shape;
  const value = customGrad((x, save) => {
    const rows = reshape(x as Tensor, [n, anchors, 4, bins]);
    const places = tensor1d(Array.from({ length: bins }, (_, i) => i));
    const target = relu(sub(1, abs(sub(reshape(distances, [n, anchors, 4, 1]), places))));
    const share = reshape(mul(weights, 1 / 4), [n, anchors, 1, 1]);
    const gradient = reshape(mul(sub(softmax(rows, -1), target), share), logits.shape);
    (save as (tensors: Tensor[]) => void)([gradient]);
    const loss = neg(sum(mul(mul(logSoftmax(rows, -1), target), share)));
    return { value: loss, gradFunc: (dy: Tensor, saved: Tensor[]) => mul(saved[0], dy) };
  });
  return value(logits) as Scalar;
}

/** max(x, 0) − x · t + log(1 + e^−|x|) of each element: logits, and targets in 0 … 1 of the same shape or one that broadcasts. */
export function binaryCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  const value = customGrad((x, save) => {
    const logit = x as Tensor;
    (save as (tensors: Tensor[]) => void)([sub(sigmoid(logit), targets)]);
    const each = add(sub(relu(logit), mul(logit, targets)), log1p(exp(neg(abs(logit)))));
    return { value: each, gradFunc: (dy: Tensor, saved: Tensor[]) => mul(saved[0], dy) };
  });
  return value(logits);
}
