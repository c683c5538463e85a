import { assemble } from './assembler.js';
import { affine, affinePair, correlations, moments, reluGradient, siluGradient } from './channel-kernels.js';
import { copy, outerProducts, products } from './plane-kernels.js';

/**
 * The loops in which training spends its time and that XNNPACK does not have. Arguments are addresses, counts, and distances
 * in bytes; arrays are [rows, channels].
 */
export interface SimdKernels {
  /**
   * out[i][j] += Σ x[i] · dy[j] over rows × columns places, i < cin, j < cout: one tap of a convolution's filter gradient.
   * `xColumn` and `dyColumn` lead to the next place, `xRow` and `dyRow` from behind a row to the next.
   */
  outerProducts(
    x: number,
    dy: number,
    out: number,
    rows: number,
    columns: number,
    xRow: number,
    xColumn: number,
    dyRow: number,
    dyColumn: number,
    cin: number,
    cout: number,
    outRow: number,
  ): void;
  /** out[c] += Σ x[c] · dy[c] over rows × columns places: the same for a depthwise convolution. */
  products(
    x: number,
    dy: number,
    out: number,
    rows: number,
    columns: number,
    xRow: number,
    xColumn: number,
    dyRow: number,
    dyColumn: number,
    channels: number,
  ): void;
  /** out[c] = x[c] at rows × columns places. */
  copy(
    x: number,
    out: number,
    rows: number,
    columns: number,
    xRow: number,
    xColumn: number,
    outRow: number,
    outColumn: number,
    channels: number,
  ): void;
  /** sum[c] = Σ (x − shift[c]), squares[c] = Σ (x − shift[c])². */
  moments(x: number, shift: number, sum: number, squares: number, rows: number, channels: number): void;
  /** sum[c] = Σ dy, correlation[c] = Σ dy · (x − shift[c]). */
  correlations(dy: number, x: number, shift: number, sum: number, correlation: number, rows: number, channels: number): void;
  /** out = a[c] · x + b[c]. */
  affine(x: number, a: number, b: number, out: number, rows: number, channels: number): void;
  /** out = a[c] · dy + b[c] · x + c[c]. */
  affinePair(dy: number, x: number, a: number, b: number, c: number, out: number, rows: number, channels: number): void;
  /** out = y > 0 ? dy : 0. */
  reluGradient(dy: number, y: number, out: number, count: number): void;
  /** out = dy · s · (x · (1 − s) + 1): the gradient of x · s(x), s the logistic function. */
  siluGradient(dy: number, x: number, s: number, out: number, count: number): void;
}

/** The kernels on a memory; undefined where the engine has no SIMD. */
export function simdKernels(memory: WebAssembly.Memory): SimdKernels | undefined {
  const shared = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
  const bytes = assemble(sources, shared);
  if (!WebAssembly.validate(bytes)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return exports as unknown as SimdKernels;
}

const sources = [outerProducts, products, copy, moments, correlations, affine, affinePair, reluGradient, siluGradient];
