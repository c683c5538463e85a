import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ConvkitError } from '@convkit/core';
import { readImages } from './convkit.js';
import { packageFolder } from '../model-packages.js';
import { type Engine, summaryOf } from './worker.js';

/** What is used of onnxruntime-node, which belongs to @convkit/onnx and need not be installed. */
interface OnnxRuntime {
  readonly InferenceSession: { create(path: string, options: object): Promise<Session> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown;
}
interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: Float32Array }>>;
}

/** The folder of onnxruntime-node, beside @convkit/onnx or where the user is. */
export function onnxRuntimeFolder(): string | undefined {
  const home = packageFolder('@convkit/onnx');
  return packageFolder('onnxruntime-node', home === undefined ? undefined : [home]) ?? packageFolder('onnxruntime-node');
}

/** ONNX Runtime with the file that PyTorch exported, in the layout of that file (NCHW). */
export const onnxRuntimeEngine: Engine = async ({ onnx, threads, ...preparation }) => {
  const folder = onnxRuntimeFolder();
  if (preparation.mode === 'training') throw new ConvkitError('it runs nets, and does not train');
  if (folder === undefined || onnx === undefined) throw new ConvkitError('onnxruntime-node is not installed');
  const { InferenceSession, Tensor } = createRequire(join(folder, 'package.json'))('onnxruntime-node') as OnnxRuntime;
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const options = { intraOpNumThreads: threads, executionMode: 'sequential', graphOptimizationLevel: 'all' };
  const session = await InferenceSession.create(onnx, options);
  const { batch, side } = preparation;
  const x = new Tensor('float32', channelsFirst(readImages({ threads, ...preparation }), batch, side), [batch, 3, side, side]);
  return {
    engine: `ONNX Runtime ${version}, exported by PyTorch`,
    run: async () => summaryOf([(await session.run({ x }))['y'].data]),
  };
};

function channelsFirst(images: Float32Array, batch: number, side: number): Float32Array {
  const pixels = side * side;
  const result = new Float32Array(images.length);
  for (let n = 0; n < batch; n++) {
    for (let at = 0; at < pixels; at++) {
      for (let c = 0; c < 3; c++) result[(n * 3 + c) * pixels + at] = images[(n * pixels + at) * 3 + c];
    }
  }
  return result;
}
