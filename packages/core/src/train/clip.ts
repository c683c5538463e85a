import { type Tensor, add, div, minimum, mul, scalar, sqrt, square, stack, sum, tidy } from '@tensorflow/tfjs-core';

/** The sum of squares of each gradient, in the map's order: [gradients]. */
export function squaredNorms(gradients: ReadonlyMap<string, Tensor>): Tensor {
  return tidy(() => stack([...gradients.values()].map((gradient) => sum(square(gradient)))));
}

/**
 * Gradients of at most this L2 norm together, as `torch.nn.utils.clip_grad_norm_`, from their `squaredNorms`. The factor is
 * computed on the device, so that a step need not wait for the norm. The caller owns the result.
 */
export function clipGradients(gradients: ReadonlyMap<string, Tensor>, squares: Tensor, clipNorm: number): Map<string, Tensor> {
  return tidyMap(() => {
    const norm = sqrt(sum(squares));
    const factor = minimum(scalar(1, 'float32'), div(scalar(clipNorm, 'float32'), add(norm, scalar(1e-6, 'float32'))));
    return new Map([...gradients].map(([name, gradient]) => [name, mul(gradient, factor)]));
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
