import type { ModelFactory } from '@convkit/core';

/** Every variant of this package. */
export const models: readonly ModelFactory[] = [];
