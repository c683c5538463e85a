import { type Call, addressOf, kernelsOf, register } from './heap.js';

/** Elementwise gradients in one pass. */
export function registerElementwise(): void {
  register('ConvkitReluGradient', ({ inputs: { dy, y }, backend }: Call<'dy' | 'y', object>) => {
    const out = backend.makeOutput(dy.shape, 'float32');
    kernelsOf(backend).reluGradient({
      dy: addressOf(backend, dy),
      y: addressOf(backend, y),
      out: addressOf(backend, out),
      count: dy.shape.reduce((a, b) => a * b, 1),
    });
    return [out];
  });
}
