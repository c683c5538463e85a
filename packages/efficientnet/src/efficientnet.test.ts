import { describeModel, sharedGoldens, testOverfits } from '@convkit/model-tests';
import { describe } from 'vitest';
import { efficientnetB0, efficientnetV2S, models } from './index.js';

const fixture = (name: string) => new URL(`__fixtures__/${name}.json`, import.meta.url);

/** The recorded training steps are without dropout and stochastic depth. */
const deterministic = (factory: (typeof models)[number]) => () => factory({ dropout: 0, dropPath: 0 });

for (const factory of [efficientnetB0, efficientnetV2S]) {
  describeModel(factory.info.name, deterministic(factory), fixture(factory.info.name));
}

testOverfits('an EfficientNet', () => efficientnetB0({ width: 0.25, depth: 0.5, dropPath: 0, dropout: 0, numClasses: 4 }), {
  size: 32,
});
testOverfits(
  'an EfficientNetV2',
  () => efficientnetV2S({ width: 0.5, depth: 0.1, head: 64, dropPath: 0, dropout: 0, numClasses: 4 }),
  { size: 32 },
);

// The complete goldens, all values and the largest nets, where they lie beside the checkout.
describe.runIf(process.env.CONVKIT_ALL_GOLDENS)('complete goldens', () => {
  for (const [name, file] of sharedGoldens('efficientnet')) {
    const factory = models.find(({ info }) => info.name === name.replace(/_spec$/, '')); // the same net with another fill
    if (!factory) throw new Error(`There is a golden for ${name}, but no such variant.`);
    describeModel(name, deterministic(factory), file);
  }
});
