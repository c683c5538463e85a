import { testStages } from '@convkit/model-tests';
import { mobilenetV1_025, mobilenetV2, mobilenetV3Large, mobilenetV3Small, mobilenetV4ConvSmall } from './index.js';
import { mobilenetV4HybridMedium } from './index.js';

testStages('mobilenetV1_025', () => mobilenetV1_025(), 64);
testStages('mobilenetV2', () => mobilenetV2({ width: 0.5 }), 64);
testStages('mobilenetV3Small', () => mobilenetV3Small(), 64);
testStages('mobilenetV3Large', () => mobilenetV3Large(), 64);
testStages('mobilenetV4ConvSmall', () => mobilenetV4ConvSmall(), 64);
testStages('mobilenetV4HybridMedium', () => mobilenetV4HybridMedium(), 64);
