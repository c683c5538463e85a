import { testStages } from '@convkit/model-tests';
import { densenet100K12Bc, densenet121 } from './index.js';

testStages('densenet121', () => densenet121(), 64);
testStages('densenet100K12Bc', () => densenet100K12Bc(), 32);
