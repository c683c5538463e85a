export { subset } from './dataset.js';
export type { Dataset, PackedImages } from './dataset.js';
export { cifar10Classes, CifarRecords } from './records.js';
export { syntheticShapes } from './synthetic.js';
export type { SyntheticOptions } from './synthetic.js';
export { loader } from './loader.js';
export type { LoaderOptions, Loader } from './loader.js';
export type { Augmentation } from './transforms.js';
