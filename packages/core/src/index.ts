// Modules
export { Buffer, Counter, DEFAULT_SEED, Module, Parameter, Sequential, inference, isModule, pipe } from './module.js';
export type { Context, Stage, State } from './module.js';
export { recompute } from './recompute.js';
export { runGraph } from './graph.js';
export type { GraphNode } from './graph.js';
export { Classifier, inputSize } from './classifier.js';
export type { ClassifierOptions, ImageBatch, Prediction } from './classifier.js';
export { features, pyramid } from './features.js';
export type { FeatureStage } from './features.js';
export { freeze, unfreeze } from './freeze.js';
export type { NamePattern } from './freeze.js';
export { fuse } from './fuse.js';
export { PREDICT, predict, predictWith } from './predict.js';
export type { PredictingBackend } from './predict.js';
export { defineModel } from './model.js';
export type { ClassModel, CommonConfig, KnownDataset, ModelFactory, ModelInfo, Task } from './model.js';
export { openWeights, weightsConfig, weightsOptions } from './pretrained.js';
export type { OpenedWeights, Pretrained, PretrainedOptions, WeightsOrigin, WeightsSource } from './pretrained.js';
export { defaultTag } from './published.js';
export type { PublishedWeights, WeightsTable } from './published.js';
export { cifar10Classes } from './labels/cifar10.js';
export { cocoClasses } from './labels/coco.js';
export { vocClasses } from './labels/voc.js';
export { summarize } from './summary.js';
export type { LayerSummary, ModelSummary } from './summary.js';

// Layers
export { Conv2d } from './layers/conv2d.js';
export type { Conv2dOptions, PaddingStyle, Pair } from './layers/conv2d.js';
export { ConvTranspose2d } from './layers/conv-transpose2d.js';
export type { ConvTranspose2dOptions } from './layers/conv-transpose2d.js';
export { LocalConv2d } from './layers/local-conv2d.js';
export { Linear } from './layers/linear.js';
export type { LinearOptions } from './layers/linear.js';
export { BatchNorm1d, BatchNorm2d } from './layers/batch-norm.js';
export type { BatchNorm2dOptions } from './layers/batch-norm.js';
export { AdaptiveAvgPool2d, AvgPool2d, MaxPool2d } from './layers/pool.js';
export type { AvgPool2dOptions, MaxPool2dOptions } from './layers/pool.js';
export { DropPath, Dropout } from './layers/dropout.js';
export { ConvNormAct } from './layers/conv-norm-act.js';
export type { ConvNormActOptions } from './layers/conv-norm-act.js';
export { SqueezeExcite } from './layers/squeeze-excite.js';
export type { SqueezeExciteOptions } from './layers/squeeze-excite.js';
export { InvertedResidual } from './layers/inverted-residual.js';
export type { InvertedResidualOptions } from './layers/inverted-residual.js';
export { makeDivisible } from './channels.js';

// Functions without state
export * from './functional.js';
export { multiQueryAttention } from './ops/attention.js';

// Initial values, randomness, errors
export * from './init.js';
export { Random, fnv1a, mix } from './random.js';
export { ArgumentError, BackendError, ConvkitError, FormatError, ShapeError } from './errors.js';

// Images
export { centreCrop, crop, imagenetColours, preprocess, preprocessSize, resize, symmetricColours, toImage } from './image.js';
export type { Drawable, Image, ImageInput, Interpolation, PixelRows, Preprocessing } from './image.js';

// Backends
export { listBackends, registerBackend } from './backend/registry.js';
export { probeBackends, selectBackend } from './backend/select.js';
export type { ProbedBackend, SelectedBackend } from './backend/select.js';
export type { BackendPlugin, Probe, StartOptions } from './backend/plugin.js';

// Weights
export { decodeSafetensors, encodeSafetensors } from './weights/safetensors.js';
export type { SafetensorsFile } from './weights/safetensors.js';
export { loadStateDict, stateDict } from './weights/state-dict.js';
export type { LoadOptions, LoadReport } from './weights/state-dict.js';
export { modelMetadata } from './weights/model-metadata.js';
export type { StoredConfig } from './weights/model-metadata.js';
export { loadBackbone } from './weights/backbone.js';
export type { BackboneOptions, BackboneReport } from './weights/backbone.js';
export { renameRules } from './weights/rename.js';
export { decodePyTorch } from './weights/pytorch.js';
export { narrowHalf } from './weights/half.js';
export { decodeWeights } from './weights/weights-file.js';
export type { DecodeWeights, WeightsFile } from './weights/weights-file.js';
export { locationText, parseLocation } from './weights/weights-source.js';
export type { FetchOptions, HubLocation, UrlLocation, WeightsLocation } from './weights/weights-source.js';
export type { HostTensor, StateDict } from './weights/host-tensor.js';
