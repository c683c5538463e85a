import { device } from '../device.js';
import { Node, constant } from '../graph.js';
import { encodeModel } from '../proto/model.js';
import { openRuntime } from '../runtime.js';

/** The domain of ONNX Runtime's ops over blocks of channels. */
export const NCHWC = 'com.microsoft.nchwc';

let size: number | undefined;

/** Channels in a block: 16 or 8 by the width of this machine's vectors; 1 where the runtime has no such convolution. */
export function blockSize(): number {
  return (size ??= findBlockSize());
}

/** Reorders two pixels of 16 channels and looks where the second channel went. */
function findBlockSize(): number {
  if (device() !== 'cpu') return 1;
  const channels = 16;
  const values = Array.from({ length: 2 * channels }, (_, i) => i);
  const input = constant(values, [1, channels, 1, 2]);
  const node = new Node(`${NCHWC}:ReorderInput`, [input], [{ dtype: 'float32', dims: [1, channels, 1, 2] }], {});
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  const model = {
    nodes: [{ node, inputs: ['x'], outputs: ['y'] }],
    inputs: [],
    outputs: [{ name: 'y', dtype: 'float32', dims: [1, channels, 1, 2] }],
    initializers: [{ name: 'x', dtype: 'float32', dims: [1, channels, 1, 2], bytes }],
  } as const;
  try {
    const session = openRuntime().load(encodeModel(model), { graphOptimizationLevel: 'disabled' });
    const order = session.run({}, { y: null }, {}).y.data as Float32Array;
    session.dispose();
    // In blocks of b the second pixel of the first channel, value 1, comes after b values.
    return order.indexOf(1);
  } catch {
    return 1;
  }
}
