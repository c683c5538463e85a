import { type Rank, type Tensor, type Tensor4D, matMul, mul, reshape, softmax, tidy } from '@tensorflow/tfjs-core';
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
        `found [${query.shape.join()}], [${key.shape.join()}] and [${value.shape.join()}].`,
    );
  }
  const heads = channels / d;
  return tidy(() => {
    const queries = mul(reshape<Rank.R3>(query, [n, height * width * heads, d]), 1 / Math.sqrt(d));
    const scores = matMul(queries, reshape<Rank.R3>(key, [n, h * w, d]), false, true);
    const answers = matMul(softmax(scores, -1), reshape<Rank.R3>(value, [n, h * w, v]));
    return reshape(answers, [n, height, width, heads * v]);
  });
}
