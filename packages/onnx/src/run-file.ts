import { type Module, inference } from '@convkit/core';
import { type Tensor, randomUniform, tidy, transpose } from '@tensorflow/tfjs-core';
import { isDetector } from './export.js';
import { type NativeSession, openRuntime } from './runtime.js';

/** One output of a net: PyTorch's order of axes for images. */
export interface FileOutput {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** An exported file in ONNX Runtime, ready to run. */
export class OpenFile {
  readonly #session: NativeSession;

  /** Throws Error where ONNX Runtime refuses the file. */
  constructor(file: Uint8Array) {
    this.#session = openRuntime().load(file);
  }

  /** The named outputs for images [N, H, W, 3], normalised as the net takes them. */
  run(x: Tensor, outputs: readonly string[]): Record<string, FileOutput> {
    const [n, h, w] = x.shape as [number, number, number];
    const planes = tidy(() => transpose(x, [0, 3, 1, 2]).dataSync()) as Float32Array;
    const images = new (openRuntime().Tensor)('float32', planes, [n, 3, h, w]);
    const results = this.#session.run({ images }, Object.fromEntries(outputs.map((name) => [name, null])), {});
    return Object.fromEntries(
      outputs.map((name) => [name, { dims: results[name].dims, values: results[name].data as Float32Array }]),
    );
  }

  dispose(): void {
    this.#session.dispose();
  }
}

/** What an exported file gives for images [N, H, W, 3], by output. */
export function runFile(file: Uint8Array, x: Tensor, outputs: readonly string[]): Record<string, FileOutput> {
  const opened = new OpenFile(file);
  try {
    return opened.run(x, outputs);
  } finally {
    opened.dispose();
  }
}

/** What the net itself gives, under the names of its file. */
export function runNet(model: Module<unknown>, x: Tensor): Record<string, FileOutput> {
  const found: Record<string, FileOutput> = {};
  tidy(() => {
    const outputs = isDetector(model) ? { ...model.propose(x) } : { logits: model.forward(x, inference) as Tensor };
    for (const [name, tensor] of Object.entries<Tensor | undefined>(outputs)) {
      if (!tensor) continue;
      const portable = tensor.rank === 4 ? transpose(tensor, [0, 3, 1, 2]) : tensor;
      found[name] = { dims: portable.shape, values: portable.dataSync() as Float32Array };
    }
  });
  return found;
}

/**
 * How far an exported file strays from its net on images of noise: the largest difference of each output, as a share of the output's
 * largest value. The net runs on the backend at work, which may be another than the one that wrote the file. `size`: height, width.
 */
export function exportDifference(
  model: Module<unknown>,
  file: Uint8Array,
  { size: [height, width], batch = 1 }: { readonly size: readonly [number, number]; readonly batch?: number },
): Record<string, number> {
  const x = randomUniform([batch, height, width, 3], 0, 1, 'float32', 0);
  try {
    const expected = runNet(model, x);
    const found = runFile(file, x, Object.keys(expected));
    return Object.fromEntries(
      Object.entries(expected).map(([name, { values }]) => {
        const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
        const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - found[name].values[i])), 0);
        return [name, scale === 0 ? worst : worst / scale];
      }),
    );
  } finally {
    x.dispose();
  }
}
