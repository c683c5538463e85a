import { type Rewrite, giving } from './steps.js';

/** A MaxPool after a Pad with −∞ pads by itself. Pad runs on one thread, and between blocks of channels the image is copied for it. */
export const padInMaxPool: Rewrite = ({ node, inputs: [x] }, { source }) => {
  const pad = source(x);
  if (node.op !== 'MaxPool' || pad?.node.op !== 'Pad' || pad.inputs[2]?.constant?.[0] !== -Infinity) return undefined;
  const amounts = pad.inputs[1]?.constant;
  if (amounts?.length !== 8 || [0, 1, 4, 5].some((i) => amounts[i] !== 0)) return undefined;
  const { kernel_shape: kernel, pads: own } = node.attributes as Readonly<Record<string, readonly number[]>>;
  const pads = [2, 3, 6, 7].map((i, side) => amounts[i] + own[side]);
  if (pads.some((amount, side) => amount < 0 || amount >= kernel[side % 2])) return undefined;
  return [giving(node.outputs[0], 'MaxPool', [pad.inputs[0]], { ...node.attributes, pads })];
};
