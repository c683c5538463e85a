import { testMacs } from '@convkit/model-tests';
import { models } from './index.js';

testMacs(models);
