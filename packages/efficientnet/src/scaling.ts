import { ArgumentError } from '@convkit/core';

export interface ScalingOptions {
  /** The compound coefficient φ: each step multiplies the cost by about α · β² · γ². */
  phi: number;
  /** α, the base of the depth. Default 1.2. */
  alpha?: number;
  /** β, the base of the width. Default 1.1. */
  beta?: number;
  /** γ, the base of the resolution. Default 1.15. */
  gamma?: number;
  /** Pixels per side at φ = 0. Default 224. */
  resolution?: number;
}

export interface Scaling {
  /** α^φ, the `depth` of a net. */
  depth: number;
  /** β^φ, the `width` of a net. */
  width: number;
  /** Pixels per side: γ^φ times those at φ = 0, rounded. */
  resolution: number;
  /** Multiply-adds over those at φ = 0, before channels and layers are rounded: (α · β² · γ²)^φ. */
  cost: number;
}

/**
 * Compound scaling: depth α^φ, width β^φ and resolution γ^φ grow together, and the cost by (α · β² · γ²)^φ, since a layer's
 * multiply-adds go with the square of its width and of its resolution (Tan and Le 2019, section 3.3). The defaults are the paper's
 * search result, for which α · β² · γ² ≈ 2.
 *
 * B0 to B7 are φ = 0, 0.5, 1, 2, 3, 4, 5, 6, but their authors rounded the factors by hand and upwards for the larger nets: B7
 * has depth 3.1 and width 2 where φ = 6 gives 2.99 and 1.77.
 *
 * Throws ArgumentError for a φ below 0 or a base below 1.
 *
 * `compoundScaling({ phi: 0.5 })` is depth 1.095, width 1.049, resolution 240, cost 1.386; B1 has depth 1.1, width 1 and 240 pixels.
 */
export function compoundScaling({ phi, alpha = 1.2, beta = 1.1, gamma = 1.15, resolution = 224 }: ScalingOptions): Scaling {
  if (!(phi >= 0 && phi < Infinity)) throw new ArgumentError(`compoundScaling: phi must be 0 or more, found ${phi}.`);
  for (const [name, base] of Object.entries({ alpha, beta, gamma })) {
    if (!(base >= 1 && base < Infinity)) throw new ArgumentError(`compoundScaling: ${name} must be 1 or more, found ${base}.`);
  }
  return {
    depth: alpha ** phi,
    width: beta ** phi,
    resolution: Math.round(resolution * gamma ** phi),
    cost: (alpha * beta ** 2 * gamma ** 2) ** phi,
  };
}
