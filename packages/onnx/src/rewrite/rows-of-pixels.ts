import { Slot, ints, raw } from '../graph.js';
import { NCHW, permute } from '../layout.js';
import { type Rewrite, giving, recorded } from './steps.js';

type Lists = Readonly<Record<string, readonly number[] | undefined>>;

/** Colours, and one more; a convolution over more channels is faster with each of them by itself. */
const MOST_CHANNELS = 4;

/**
 * The first convolution of a net, whose images come as [N, H, W, C], as one over [N, 1, H, W·C], with filters and steps C times as
 * wide: nothing is transposed. Only where `open` says that no size but the batch is open.
 */
export const rowsOfPixels =
  (images: Slot, open: readonly (number | string)[]): Rewrite =>
  ({ node, inputs: [x, filter, ...bias] }, { source }) => {
    const { kernel_shape, strides, dilations, pads } = node.attributes as Lists;
    if (node.op !== 'Conv' || node.attributes['group'] !== 1 || dilations![1] !== 1 || !pads || !filter?.data) return undefined;
    const transpose = source(x);
    if (transpose?.inputs[0] !== images || String(transpose.node.attributes['perm']) !== String(NCHW)) return undefined;
    const [n, height, width, c] = images.dims;
    if (c > MOST_CHANNELS || open.slice(1).some((size) => typeof size === 'string')) return undefined;
    const [out, , kh, kw] = filter.dims;
    const rows = raw('Reshape', [images, ints([0, 1, height, width * c])], [n, 1, height, width * c]);
    const wide = new Slot(filter.dtype, [out, 1, kh, kw * c], { data: permute(filter.data, filter.dims, [0, 2, 3, 1]) });
    const windows = {
      ...node.attributes,
      kernel_shape: [kernel_shape![0], kernel_shape![1] * c],
      strides: [strides![0], strides![1] * c],
      pads: pads.map((amount, side) => (side % 2 === 1 ? amount * c : amount)),
    };
    return [recorded(rows), giving(node.outputs[0], 'Conv', [rows, wide, ...bias], windows)];
  };
