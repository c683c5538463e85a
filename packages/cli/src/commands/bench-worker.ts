import { convkitEngine } from '../bench/convkit.js';
import { onnxRuntimeEngine } from '../bench/onnxruntime.js';
import { tfjsEngine } from '../bench/tfjs.js';
import { serve } from '../bench/worker.js';

/** The process of one engine of `convkit bench`, by the engine's name. */
export async function runBenchWorker(name: string): Promise<void> {
  const [kind, backend] = name.split(':');
  if (kind === 'convkit') await serve(convkitEngine(backend));
  else if (kind === 'tfjs') await serve(tfjsEngine(backend === 'wasm' ? 'wasm' : 'cpu'));
  else await serve(onnxRuntimeEngine);
}
