import { type Tensor, type Tensor3D, type Tensor4D, matMul, mul, reshape, softmax, tidy } from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';

/**
 * Multi-query attention (Shazeer 2019, https://arxiv.org/abs/1911.02150): every head asks with its own query, and all look at the
 * same keys and values: softmax(query · keyᵀ / √d) · value.
 *
 * query [N, H, W, heads · d], key [N, h, w, d], value [N, h, w, v] → [N, H, W, heads · v]. Throws ShapeError where the shapes do
 * not fit together.
 */
export function multiQueryAttention(query: Tensor, key: Tensor, value: Tensor): Tensor4D {
  const [n, height, width, channels] = query.shape;
  const [keyBatch, h, w, d] = key.shape;
  const [, , , v] = value.shape;
  const fit = keyBatch === n && channels % d === 0 && value.shape.join() === [n, h, w, v].join();
  if (query.rank !== 4 || key.rank !== 4 || !fit) {
    throw new ShapeError(
      'multiQueryAttention: expected query [N,H,W,heads·d], key [N,h,w,d] and value [N,h,w,v], ' +
        `found [${query.shape}], [${key.shape}] and [${value.shape}].`,
    );
  }
  const heads = channels / d;
  return tidy(() => {
    const queries = mul(reshape(query, [n, height * width * heads, d]), 1 / Math.sqrt(d)) as Tensor3D;
    const scores = matMul(queries, reshape(key, [n, h * w, d]) as Tensor3D, false, true);
    const answers = matMul(softmax(scores, -1), reshape(value, [n, h * w, v]) as Tensor3D);
    return reshape(answers, [n, height, width, heads * v]);
  });
}
