import { FormatError, type Module, loadStateDict } from '@convkit/core';
import type { DarknetNetwork } from './network.js';
import { readDarknetWeights } from './weights.js';

/** What `loadDarknetBackbone` did. */
export interface DarknetBackbone {
  /** How many layers of the net the file covers, counted from the first; those without weights count too. */
  readonly layers: number;
  /** Names of the weights that were set. */
  readonly loaded: readonly string[];
  /** Names of the weights that are as they were. */
  readonly kept: readonly string[];
}

/**
 * Sets the first layers of a net from a `.weights` file that ends before the net does, as `darknet53.conv.74` (the first 75 layers of
 * YOLOv3) and `yolov4.conv.137`; the others stay as they are, so initialize the net before. A file of the whole net loads too.
 *
 *     const model = yolov3({ numClasses: 3 }).initialize();
 *     loadDarknetBackbone(model, await readFile('darknet53.conv.74')).layers; // 75
 *
 * Throws FormatError when the file does not end with a layer of the net.
 */
export function loadDarknetBackbone(
  model: Module<unknown> & { readonly network: DarknetNetwork },
  bytes: Uint8Array,
  name = 'the file',
): DarknetBackbone {
  const { tensors, layers } = readDarknetWeights(bytes, model.network, name);
  const { loaded, missing, wrongShape } = loadStateDict(model, tensors, { strict: false });
  if (wrongShape.length > 0) throw new FormatError(`${name} does not fit: ${wrongShape.map((entry) => entry.name).join(', ')}.`);
  return { layers, loaded, kept: missing };
}
