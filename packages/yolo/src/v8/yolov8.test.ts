import { describeModel, sharedGoldens } from '@convkit/model-tests';
import { describe } from 'vitest';
import { describeDetector } from './goldens.test-util.js';
import { v8Classifiers, v8Detectors, yolov8n, yolov8nCls, yolov8nPose, yolov8nSeg } from './variants.js';

const fixture = (name: string) => new URL(`__fixtures__/${name}.json`, import.meta.url);

for (const factory of [yolov8n, yolov8nSeg, yolov8nPose]) {
  describeDetector(factory.info.name, factory, fixture(factory.info.name));
}
describeModel('yolov8n-cls', yolov8nCls, fixture('yolov8n-cls'));

// The complete goldens, all values and the largest nets, where they lie beside the checkout.
describe.runIf(process.env.CONVKIT_ALL_GOLDENS)('complete goldens', () => {
  for (const [name, file] of sharedGoldens('yolov8')) {
    const variant = name.replace(/_.*/, ''); // yolov8n_spec is yolov8n with other weights
    const detector = v8Detectors.find(({ info }) => info.name === variant);
    const classifier = v8Classifiers.find(({ info }) => info.name === variant);
    if (detector) describeDetector(name, detector, file);
    else if (classifier) describeModel(name, classifier, file);
    else throw new Error(`There is a golden for ${name}, but no such variant.`);
  }
});
