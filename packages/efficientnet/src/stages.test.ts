import { testStages } from '@convkit/model-tests';
import { efficientnetB1, efficientnetV2S, tfEfficientnetB0 } from './index.js';

testStages('efficientnetB1', () => efficientnetB1(), 64);
testStages('tfEfficientnetB0', () => tfEfficientnetB0(), 64);
testStages('efficientnetV2S', () => efficientnetV2S(), 64);
