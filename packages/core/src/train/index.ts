export { Trainer } from './trainer.js';
export type { FitOptions, FitResult, LayerRate, TrainerOptions } from './trainer.js';
export { Ema } from './ema.js';
export type { EmaOptions } from './ema.js';
export type { Validation } from './fit.js';
export { evaluate } from './evaluate.js';
export type { EvaluateOptions, Scores } from './evaluate.js';

export { adam, adamw, rmsprop, sgd } from './optimizers.js';
export type { AdamOptions, Optimizer, OptimizerFactory, RmspropOptions, SgdOptions } from './optimizers.js';
export { constant, cosine, multistep, oneCycle, stepDecay } from './schedules.js';
export type {
  ConstantOptions,
  CosineOptions,
  MultistepOptions,
  OneCycleOptions,
  Position,
  Schedule,
  StepDecayOptions,
  WarmupOptions,
} from './schedules.js';
export { bceWithLogits, crossEntropy } from './losses.js';
export type { CrossEntropyOptions, Loss } from './losses.js';
export { accuracy } from '../metrics/accuracy.js';
export { ConfusionMatrix, confusionMatrix } from '../metrics/confusion.js';
export type { ClassScores, ConfusionReport } from '../metrics/confusion.js';
export type { Metric, MetricBatch } from '../metrics/metric.js';

export type { Batch, BatchSource, Labels } from './batch.js';
export type { Checkpoint, CheckpointStore } from './checkpoint.js';
export type { DetectionLabels, ObjectLabels } from './object-labels.js';
export type { EpochRecord, Logger, RunInfo, StepRecord, ValidationProgress } from './logger.js';
export type { Best } from './progress.js';
export { NonFiniteError } from './non-finite.js';

// For training loops of one's own
export { gradientStep } from './gradient-step.js';
export type { GradientStep } from './gradient-step.js';
export { trainStep } from './train-step.js';
export type { StepOutcome, StepPlan, StepSetup } from './train-step.js';
