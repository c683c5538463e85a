import { type Tensor, mul, scalar, square, stack, sum, tidy } from '@tensorflow/tfjs-core';

/** The sum of squares of each gradient, in the map's order, read in one go. */
export async function squaredNorms(gradients: ReadonlyMap<string, Tensor>): Promise<Float32Array> {
  if (gradients.size === 0) return new Float32Array(0);
  const sums = tidy(() => stack([...gradients.values()].map((gradient) => sum(square(gradient)))));
  try {
    return (await sums.data()) as Float32Array;
  } finally {
    sums.dispose();
  }
}

/** The factor that takes gradients of this norm to at most `clipNorm`, as `torch.nn.utils.clip_grad_norm_`. */
export function clipFactor(norm: number, clipNorm: number): number {
  return Math.min(1, clipNorm / (norm + 1e-6));
}

/** Every gradient times the factor; the caller owns the result. */
export function scaleGradients(gradients: ReadonlyMap<string, Tensor>, factor: number): Map<string, Tensor> {
  return tidyMap(() => {
    const by = scalar(factor, 'float32');
    return new Map([...gradients].map(([name, gradient]) => [name, mul(gradient, by)]));
  });
}

/** `tidy` for a function that gives a map of tensors. */
export function tidyMap(f: () => Map<string, Tensor>): Map<string, Tensor> {
  let names: string[] = [];
  const tensors = tidy(() => {
    const result = f();
    names = [...result.keys()];
    return [...result.values()];
  });
  return new Map(names.map((name, i) => [name, tensors[i]]));
}

export function disposeMap(tensors: ReadonlyMap<string, Tensor> | undefined): void {
  for (const tensor of tensors?.values() ?? []) tensor.dispose();
}
