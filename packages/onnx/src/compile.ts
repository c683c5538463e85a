import { ArgumentError, type Module, inference } from '@convkit/core';
import { CompiledModel, type InputShape } from './compiled-model.js';
import { currentBackend } from './current.js';

/**
 * Compiles a net for inference on the onnx backend: weights as constants, batch normalisation folded, any batch where `shape` says
 * null. `predict`, `classify`, `detect` and `evaluate` do it by themselves.
 *
 *     const fast = compile(model, [null, 224, 224, 3]);
 *     const logits = fast.run(images);
 *
 * Throws BackendError on another backend, ArgumentError for a size that the net does not leave open.
 */
export function compile<Output>(model: Module<Output>, shape: InputShape): CompiledModel<Output> {
  if (shape.length !== 4) throw new ArgumentError(`Expected the input's shape as [N, H, W, C], found [${shape.join(', ')}].`);
  return new CompiledModel(currentBackend(), model, (x) => model.forward(x, inference), shape);
}
