export { maxImageMegapixels, readImage, writeImage } from './read-image.js';
export { csvLogger } from './loggers/csv.js';
export { jsonlLogger } from './loggers/jsonl.js';
export { tensorBoardLogger } from './loggers/tensorboard.js';
export { type CheckpointDirectory, type CheckpointDirectoryOptions, checkpointDirectory } from './checkpoint-directory.js';
export { commitDirectory, hashFile, isLeftover, readJson, sha256File, writeFileAtomic } from './files.js';
export { type SaveWeightsOptions, type WeightsFile, loadWeights, saveWeights } from './weights-file.js';
export { type StoredPreprocessing, parsePreprocessing } from './preprocessing-file.js';
export { type DownloadOptions, type DownloadResult, download } from './download.js';
