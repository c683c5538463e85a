import { testStages } from '@convkit/model-tests';
import { vgg11BnCifar, vgg16Cifar } from './index.js';

testStages('vgg11BnCifar', () => vgg11BnCifar(), 32);
testStages('vgg16Cifar', () => vgg16Cifar(), 32);
