export { cifar10 } from './cifar10.js';
export type { Cifar10Options } from './cifar10.js';
export { imageFolder } from './image-folder.js';
export type { ImageFolder, ImageFolderOptions } from './image-folder.js';
export { recordFolder, writeSyntheticRecords } from './synthetic-files.js';
export { cocoDetection } from './coco.js';
export type { CocoDetection, CocoDetectionOptions } from './coco.js';
export type { CocoProgress } from './coco-archives.js';
