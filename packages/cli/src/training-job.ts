import type { StateDict } from '@convkit/core';
import type { FitOptions, FitResult } from '@convkit/core/train';

/** What every run gives to its trainer. */
export type CommonFit = Pick<
  FitOptions,
  'epochs' | 'checkpoints' | 'checkpointEverySteps' | 'resume' | 'seed' | 'signal' | 'loggers'
>;

/** What a finished run has to tell. */
export interface JobReport {
  /** `Held-out top-1: 91.2 %` */
  readonly headline: string;
  /** The figures of the held-out images. */
  readonly validation: Readonly<Record<string, number>>;
  /** Files that it wrote: name and meaning. */
  readonly files: readonly (readonly [name: string, meaning: string])[];
  /** Commands to go on with. */
  readonly next: readonly string[];
}

/** What training a kind of net takes: classifiers and detectors have one each. */
export interface TrainingJob {
  fit(common: CommonFit): Promise<FitResult>;
  /** The weights to keep of a checkpoint. */
  weightsOf(checkpoint: { readonly model: StateDict; readonly average?: StateDict }): StateDict;
  /** Evaluates the finished model and draws its pictures into the run folder. */
  finish(result: FitResult): Promise<JobReport>;
}
