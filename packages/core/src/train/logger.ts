/** Where a run stands when it starts. */
export interface RunInfo {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  /** What a resumed run goes on from: whole epochs done, and optimizer steps done. Both 0 in a fresh run. */
  readonly resumed: { readonly epoch: number; readonly step: number };
  /** The whole epochs before the resume. */
  readonly history: readonly EpochRecord[];
}

/** One optimizer step. */
export interface StepRecord {
  /** 1-based. */
  readonly epoch: number;
  /** 1-based, counted over the whole run. */
  readonly step: number;
  /** 1-based, counted over this epoch. */
  readonly stepInEpoch: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly loss: number;
  readonly learningRate: number;
  /** L2 norm of all gradients together, before clipping. */
  readonly gradientNorm?: number;
  /** Running values over the epoch so far. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Images in this step. */
  readonly images: number;
  readonly imagesPerSecond: number;
  /** Time that this step waited for its data. */
  readonly waitMs: number;
}

/** One epoch, with its validation if there was one. */
export interface EpochRecord {
  /** 1-based. */
  readonly epoch: number;
  /** Optimizer steps done in the whole run. */
  readonly steps: number;
  readonly learningRate: number;
  /** `loss` and the metrics, over the images of the epoch as they were trained on. */
  readonly train: Readonly<Record<string, number>>;
  readonly validation?: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

/** How far a validation has come. */
export interface ValidationProgress {
  readonly epoch: number;
  readonly done: number;
  readonly total: number;
}

/** Hears of a run as it goes. Every method may be absent, and may be asynchronous: the run waits for it. */
export interface Logger {
  start?(run: RunInfo): void | Promise<void>;
  step?(record: StepRecord): void | Promise<void>;
  validation?(progress: ValidationProgress): void | Promise<void>;
  epoch?(record: EpochRecord): void | Promise<void>;
  /** Called once, also when the run was stopped or failed: files are closed here. */
  end?(): void | Promise<void>;
}
