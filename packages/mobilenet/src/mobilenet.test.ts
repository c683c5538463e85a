import { describeModel, sharedGoldens, testOverfits } from '@convkit/model-tests';
import { describe } from 'vitest';
import { mobilenetV1_100, mobilenetV2, mobilenetV3Small, mobilenetV4ConvSmall, models } from './index.js';
import { mobilenetV4HybridLarge, mobilenetV4HybridMedium } from './index.js';

const fixture = (name: string) => new URL(`__fixtures__/${name}.json`, import.meta.url);

/** The recorded training steps are without dropout. */
const withoutDropout = (factory: (typeof models)[number]) => () => factory({ dropout: 0 });

for (const factory of [mobilenetV1_100, mobilenetV2, mobilenetV3Small, mobilenetV4ConvSmall, mobilenetV4HybridMedium]) {
  describeModel(factory.info.name, withoutDropout(factory), fixture(factory.info.name));
}

testOverfits('a MobileNet v1', () => mobilenetV1_100({ width: 0.25, numClasses: 4 }), { size: 32 });
testOverfits('a MobileNet v2', () => mobilenetV2({ width: 0.25, numClasses: 4 }), { size: 32 });
testOverfits('a MobileNet v3', () => mobilenetV3Small({ width: 0.5, numClasses: 4 }), { size: 32 });
testOverfits(
  'a hybrid MobileNet v4 with GELU',
  () =>
    mobilenetV4HybridLarge({
      stem: 16,
      stages: [
        { channels: 16, stride: 2, blocks: [{ kind: 'fused', expand: 4 }] },
        {
          channels: 32,
          stride: 2,
          blocks: [
            { kind: 'bottleneck', expand: 4, kernels: [3, 5] },
            { kind: 'attention', heads: 2, dim: 16, stride: 2 },
          ],
        },
        {
          channels: 32,
          stride: 1,
          blocks: [
            { kind: 'bottleneck', expand: 4, kernels: [0, 0] },
            { kind: 'attention', heads: 2, dim: 16, stride: 1 },
          ],
        },
      ],
      head: 64,
      layerScale: 0.1,
      numClasses: 4,
    }),
  { size: 32 },
);

// The complete goldens, all values and the largest nets, where they lie beside the checkout.
describe.runIf(process.env.CONVKIT_ALL_GOLDENS)('complete goldens', () => {
  for (const family of ['mobilenet', 'mobilenetv4']) {
    for (const [name, file] of sharedGoldens(family)) {
      const factory = models.find(({ info }) => info.name === name);
      if (!factory) throw new Error(`There is a golden for ${name}, but no such variant.`);
      describeModel(name, withoutDropout(factory), file);
    }
  }
});
