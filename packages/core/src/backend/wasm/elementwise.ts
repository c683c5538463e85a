import { util } from '@tensorflow/tfjs-core';
import { type Call, addressOf, kernelsOf, original, register } from './heap.js';

/** Elementwise gradients in one or two passes, and copies that share memory: tensors never change, so a clone needs no values of its own. */
export function registerElementwise(): void {
  register('Identity', ({ inputs: { x }, backend }: Call<'x', object>) => {
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  });
  register('ConvkitReluGradient', ({ inputs: { dy, y }, backend }: Call<'dy' | 'y', object>) => {
    const out = backend.makeOutput(dy.shape, 'float32');
    const count = dy.shape.reduce((a, b) => a * b, 1);
    kernelsOf(backend).reluGradient(addressOf(backend, dy), addressOf(backend, y), addressOf(backend, out), count);
    return [out];
  });

  const sigmoid = original('Sigmoid');
  register('ConvkitSiluGradient', ({ inputs: { dy, x }, backend }: Call<'dy' | 'x', object>) => {
    const out = sigmoid({ inputs: { x }, attrs: {}, backend });
    const address = addressOf(backend, out);
    kernelsOf(backend).siluGradient(addressOf(backend, dy), addressOf(backend, x), address, address, util.sizeFromShape(x.shape));
    return [out];
  });
}
