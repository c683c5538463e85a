import { ArgumentError } from './errors.js';
import type { Preprocessing } from './image.js';
import type { CommonConfig, KnownDataset } from './model.js';
import type { HubLocation, UrlLocation } from './weights/weights-source.js';

/** Weights that someone published for a variant: where they are and what was said of them. */
export interface PublishedWeights<Config extends CommonConfig = CommonConfig> {
  readonly location: HubLocation | UrlLocation;
  /** The data set whose classes the head names. */
  readonly classes: KnownDataset;
  /** How the published accuracy prepares images. */
  readonly preprocessing: Preprocessing;
  /** Published accuracy on the data set's validation or test images, 0 … 1. */
  readonly top1?: number;
  readonly top5?: number;
  /** SPDX identifier of the weights' licence, where it is stated. */
  readonly licence?: string;
  /** Options of the net that these weights need, such as the padding of TensorFlow. */
  readonly config?: Partial<Config>;
  /** Gives their names in the model, where they differ. */
  readonly rename?: (name: string) => string;
}

/** Published weights by tag; the first is the default. */
export type WeightsTable<Config extends CommonConfig = CommonConfig> = Readonly<Record<string, PublishedWeights<Config>>>;

/** The tag that is meant when none is given. Throws ArgumentError when the variant has no published weights. */
export function defaultTag(name: string, table: WeightsTable | undefined): string {
  const [tag] = Object.keys(table ?? {});
  if (tag === undefined) {
    throw new ArgumentError(`${name} has no published weights: name a file, a URL or hf:organisation/name/file.`);
  }
  return tag;
}
