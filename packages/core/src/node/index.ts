export { maxImageMegapixels, readImage, writeImage } from './read-image.js';
export { csvLogger } from './loggers/csv.js';
export { jsonlLogger } from './loggers/jsonl.js';
export { tensorBoardLogger } from './loggers/tensorboard.js';
