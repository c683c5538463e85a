import '@convkit/core/train'; // brings tfjs' gradients, which its ES modules hide from Node
import { Parameter } from '@convkit/core';
import { type Scalar, type Variable, losses, oneHot, setBackend, tensor4d, tidy, train } from '@tensorflow/tfjs-core';
import { buildModel, labelsOf, readImages } from './convkit.js';
import { plainNet } from './plain-nets.js';
import { type Engine, summaryOf } from './worker.js';

const backends = {
  wasm: () => import('@tensorflow/tfjs-backend-wasm'),
  cpu: () => import('@tensorflow/tfjs-backend-cpu'),
};

/** Plain tfjs: nets of `plain-nets.ts`, tfjs' own optimizer and loss. Only the weights' values come from convkit's model. */
export const tfjsEngine =
  (backend: keyof typeof backends): Engine =>
  async (preparation) => {
    const { batch, side, classes, mode, model: name } = preparation;
    const net = plainNet(name);
    const { version_core } = await import('@tensorflow/tfjs-core');
    await backends[backend]();
    await setBackend(backend);
    const state = new Map((await buildModel(preparation)).state());
    const weights = (key: string): Variable => state.get(key)!.value as Variable;
    const x = tensor4d(readImages(preparation), [batch, side, side, 3]);
    const engine = `plain tfjs ${version_core} on ${backend}`;
    if (mode === 'inference') {
      return { engine, run: async () => summaryOf([await read(tidy(() => net(x, weights, false)))]) };
    }
    const targets = oneHot(labelsOf(preparation), classes);
    const trained = [...state.values()].filter((part) => part instanceof Parameter).map(({ value }) => value);
    const optimizer = train.momentum(0.01, 0.9);
    const loss = (): Scalar => losses.softmaxCrossEntropy(targets, net(x, weights, true));
    return { engine, run: async () => [...(await read(tidy(() => optimizer.minimize(loss, true, trained)!)))] };
  };

async function read(y: { data(): Promise<unknown>; dispose(): void }): Promise<Float32Array> {
  const values = (await y.data()) as Float32Array;
  y.dispose();
  return values;
}
