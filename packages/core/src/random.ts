/**
 * A seeded stream of random numbers that can be split by name: `root.child('shuffle').child(epoch)`.
 *
 * The same path from the same seed gives the same numbers, whatever else was drawn, so that nothing has to be stored to
 * resume a run. The generator is xoshiro128** (Blackman, Vigna 2018) seeded by FNV-1a and the murmur3 finaliser.
 */
export class Random {
  readonly #key: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  #spareNormal: number | undefined;

  constructor(seed: number) {
    this.#key = seed >>> 0;
    this.#a = mix(this.#key + 0x9e3779b9);
    this.#b = mix(this.#a + 0x9e3779b9);
    this.#c = mix(this.#b + 0x9e3779b9);
    this.#d = mix(this.#c + 0x9e3779b9) | 1; // the all-zero state would stay at zero
  }

  /** The stream with this name below this one; it does not advance this stream. */
  child(name: string | number): Random {
    return new Random(mix(this.#key ^ fnv1a(String(name))));
  }

  /** A uniform integer in 0 … 2³² − 1. */
  uint32(): number {
    const result = Math.imul(rotl(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = rotl(this.#d, 11);
    return result;
  }

  /** A uniform number in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + ((high - low) * this.uint32()) / 2 ** 32;
  }

  /** A uniform integer in 0 … n − 1. */
  int(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** A number from the standard normal distribution (Marsaglia's polar method). */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    let u: number, v: number, s: number;
    do {
      u = this.uniform(-1, 1);
      v = this.uniform(-1, 1);
      s = u * u + v * v;
    } while (s >= 1 || s === 0);
    const factor = Math.sqrt((-2 * Math.log(s)) / s);
    this.#spareNormal = v * factor;
    return u * factor;
  }

  /** A random order of 0 … n − 1 (Fisher–Yates). */
  permutation(n: number): Uint32Array {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const swap = order[i];
      order[i] = order[j];
      order[j] = swap;
    }
    return order;
  }
}

/** FNV-1a, 32 bits, over the UTF-8 bytes of `text`. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The finaliser of murmur3: every bit of the input reaches every bit of the output. */
export function mix(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function rotl(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
