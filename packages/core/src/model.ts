import type { Classifier } from './classifier.js';
import type { Preprocessing } from './image.js';
import type { PaddingStyle } from './layers/conv2d.js';
import type { Module } from './module.js';
import { type Pretrained, type PretrainedOptions, type WeightsSource, loadPretrained } from './pretrained.js';
import type { WeightsTable } from './published.js';
import { type StoredConfig, describeBuilt } from './weights/model-metadata.js';
import type { DecodeWeights } from './weights/weights-file.js';

/** What a net says of an image: its class; boxes; boxes with outlines; boxes with body joints. */
export type Task = 'classify' | 'detect' | 'segment' | 'pose';

/** A data set that published weights were trained on, whose classes core knows by name. */
export type KnownDataset = 'imagenet' | 'cifar10' | 'coco' | 'voc';

/** A net whose last layers belong to its classes: a classifier or a detector. */
export interface ClassModel extends Module<unknown> {
  classes: readonly string[];
  /** Paths of the modules whose weights depend on the classes; the rest is the backbone. */
  readonly heads: readonly string[];
}

/** What is known of a published variant without building it. */
export interface ModelInfo {
  /** The published name, as on the command line: `resnet50`, `wide_resnet50_2`. */
  readonly name: string;
  /** The npm package that the variant comes from. */
  readonly package: string;
  /** Absent: 'classify'. */
  readonly task?: Task;
  /** Of a detector `size` is the default of its input, and pixels are divided by 255 only. */
  readonly preprocessing: Preprocessing;
  /** How the published variant pads; absent where the net leaves no choice. */
  readonly padding?: PaddingStyle;
  /** The data set that the variant was designed for; absent where the classes are those of its configuration file. */
  readonly dataset?: KnownDataset;
  /** Paper or reference implementation whose weights load by name. */
  readonly reference: string;
  /** Multiply-adds of one image of the published size, as `summarize` counts them. */
  readonly macs?: number;
  /** Published weights by tag; the first is the default of `pretrained`. */
  readonly weights?: WeightsTable;
}

/** The options that every net takes. */
export interface CommonConfig {
  numClasses: number;
  classes?: readonly string[];
  preprocessing: Preprocessing;
}

/** Builds a variant: `resnet50({ numClasses: 10 })`. What is not given has the published value. */
export interface ModelFactory<Config extends CommonConfig = CommonConfig, Model extends ClassModel = Classifier> {
  (config?: Partial<Config>): Model;
  readonly info: ModelInfo;
  /** Reads the weight files of its family, such as Darknet's; absent: `decodeWeights` of core reads them. */
  readonly decodeWeights?: DecodeWeights;
  /**
   * The variant with weights, and with the classes and the preprocessing that belong to them. `source` is a tag of `info.weights`
   * (default: the first), `hf:organisation/name/file`, a URL or, in Node, a path; downloads are kept in a cache and verified. What such a
   * file does not say of itself, a `WeightsSource` says.
   *
   *     const model = await resnet50.pretrained('tv2_in1k');
   *     const own = await resnet50.pretrained('tv2_in1k', { numClasses: 3 });   // a new head: own.origin.fresh names it
   *     const keras = await mobilenetV3Small.pretrained({ file: 'keras.safetensors', padding: 'same' });
   *
   * Throws ArgumentError for a tag that is not known, ConvkitError when a file cannot be had, FormatError when it is not the
   * expected one or does not fit.
   */
  pretrained(source?: string | WeightsSource, config?: Partial<Config>, options?: PretrainedOptions): Promise<Pretrained<Model>>;
}

/** Makes the factory of a variant from its published configuration. */
export function defineModel<Config extends CommonConfig, Model extends ClassModel>(
  info: Omit<ModelInfo, 'preprocessing' | 'padding'>,
  published: Config,
  build: (config: Config) => Model,
  { decodeWeights }: { decodeWeights?: DecodeWeights } = {},
): ModelFactory<Config, Model> {
  const create = (config: Partial<Config> = {}) => {
    const renamed = config.numClasses === undefined ? {} : { classes: undefined }; // the published names are of the published classes
    const complete = { ...published, ...renamed, ...config };
    const model = build(complete);
    describeBuilt(model, info.name, published, complete);
    return model;
  };
  const { preprocessing, padding }: CommonConfig & StoredConfig = published;
  const whole: ModelInfo = { ...info, preprocessing, ...(padding && { padding }) };
  return Object.assign(create, {
    info: whole,
    ...(decodeWeights && { decodeWeights }),
    pretrained: (source?: string | WeightsSource, config: Partial<Config> = {}, options: PretrainedOptions = {}) =>
      loadPretrained(whole, create, source, config, { decode: decodeWeights, ...options }),
  });
}
