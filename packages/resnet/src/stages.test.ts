import { testStages } from '@convkit/model-tests';
import { resnet18d, resnet20, resnet50, smallResnet } from './index.js';

testStages('resnet50', () => resnet50({ layers: [1, 1, 1, 1] }), 64);
testStages('resnet18d', () => resnet18d(), 64);
testStages('a ResNet with the small stem', () => resnet18d({ stem: 'small' }), 32);
testStages('resnet20', () => resnet20(), 32);
testStages('the small ResNet', () => smallResnet(), 32);
