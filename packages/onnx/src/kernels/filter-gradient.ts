import { type Slot, Value, ints, raw } from '../graph.js';
import { NCHW, OIHW } from '../layout.js';
import { blockSize } from './block-size.js';
import type { ConvPlan } from './conv-plan.js';
import { exchanged, exchangedBackward, exchangedDepthwise, fitsDepthwiseExchange, fitsExchange } from './filter-exchange.js';
import { type Sizes, product } from './filter-products.js';

/**
 * dW[o,i,ky,kx] = Σ over images and pixels of dy[o,y,x] · x[i, s·y + d·ky − p, s·x + d·kx − p]: where images and channels come in whole
 * blocks a convolution over blocks, else products of matrices whose long side is the pixels of an image.
 */
export function filterGradient(x: Value, dy: Value, p: ConvPlan): Value {
  const { height, width, groups } = p;
  const [n, , , cin] = x.shape as Shape4;
  const cout = dy.shape[3];
  const step = imagesAtOnce(n, p, { cin, cout });
  const parts: Slot[] = [];
  for (let from = 0; from < n; from += step) {
    const count = Math.min(step, n - from);
    parts.push(partial(part(x.in(NCHW), from, count), part(dy.in(NCHW), from, count), p, { n: count, cin, cout }));
  }
  const dims = [cout, cin / groups, height.kernel, width.kernel];
  const sum = parts.length === 1 ? parts[0] : raw('Sum', parts, dims);
  return new Value(sum, [height.kernel, width.kernel, cin / groups, cout], OIHW);
}

type Shape4 = [number, number, number, number];

/** Elements of the copies that are made at a time; images beyond them are taken in parts. */
const LARGEST_COPY = 2 ** 25;

function imagesAtOnce(n: number, p: ConvPlan, channels: Omit<Sizes, 'n'>): number {
  const { height, width } = p;
  const { cin, cout } = channels;
  if (fitsDepthwiseExchange(p, channels)) return n;
  const step = (copies: number) => Math.max(1, Math.min(n, Math.floor(LARGEST_COPY / copies)));
  if (!fitsExchange(p, { n, ...channels })) {
    return step((height.kernel * width.kernel * cin + cout) * height.out * width.out);
  }
  const images = step(cin * height.in * width.in + cout * height.out * width.out);
  return Math.max(blockSize(), images - (images % blockSize()));
}

function part(images: Slot, from: number, count: number): Slot {
  const [n, ...rest] = images.dims;
  if (count === n) return images;
  return raw('Slice', [images, ints([from]), ints([from + count]), ints([0])], [count, ...rest]);
}

/** The gradient [cout, cin/groups, kh, kw] over these images. */
function partial(x: Slot, dy: Slot, p: ConvPlan, sizes: Sizes): Slot {
  if (fitsDepthwiseExchange(p, sizes)) return exchangedDepthwise(x, dy, p, sizes);
  if (!fitsExchange(p, sizes)) return product(x, dy, p, sizes);
  return sizes.cout % blockSize() === 0 ? exchanged(x, dy, p, sizes) : exchangedBackward(x, dy, p, sizes);
}
