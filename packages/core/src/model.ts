import type { Classifier } from './classifier.js';
import type { Preprocessing } from './image.js';
import { type Pretrained, type PretrainedOptions, loadPretrained } from './pretrained.js';
import type { WeightsTable } from './published.js';

/** What is known of a published variant without building it. */
export interface ModelInfo {
  /** The published name, as on the command line: `resnet50`, `wide_resnet50_2`. */
  readonly name: string;
  /** The npm package that the variant comes from. */
  readonly package: string;
  readonly preprocessing: Preprocessing;
  /** The data set that the variant was designed for. */
  readonly dataset: 'imagenet' | 'cifar10';
  /** Paper or reference implementation whose weights load by name. */
  readonly reference: string;
  /** Published weights by tag; the first is the default of `pretrained`. */
  readonly weights?: WeightsTable;
}

/** The options that every classifier takes. */
export interface CommonConfig {
  numClasses: number;
  classes?: readonly string[];
  preprocessing: Preprocessing;
}

/** Builds a variant: `resnet50({ numClasses: 10 })`. What is not given has the published value. */
export interface ModelFactory<Config extends CommonConfig = CommonConfig, Model extends Classifier = Classifier> {
  (config?: Partial<Config>): Model;
  readonly info: ModelInfo;
  /**
   * The variant with weights, and with the classes and the preprocessing that belong to them. `source` is a tag of `info.weights`
   * (default: the first), `hf:organisation/name/file`, a URL or, in Node, a path; downloads are kept in a cache and verified.
   *
   *     const model = await resnet50.pretrained('tv2_in1k');
   *     const own = await resnet50.pretrained('tv2_in1k', { numClasses: 3 });   // a new head: own.origin.fresh names it
   *
   * Throws ArgumentError for a tag that is not known, ConvkitError when a file cannot be had, FormatError when it is not the
   * expected one or does not fit.
   */
  pretrained(source?: string, config?: Partial<Config>, options?: PretrainedOptions): Promise<Pretrained<Model>>;
}

/** Makes the factory of a variant from its published configuration. */
export function defineModel<Config extends CommonConfig, Model extends Classifier>(
  info: Omit<ModelInfo, 'preprocessing'>,
  published: Config,
  build: (config: Config) => Model,
): ModelFactory<Config, Model> {
  const create = (config: Partial<Config> = {}) => {
    const renamed = config.numClasses === undefined ? {} : { classes: undefined }; // the published names are of the published classes
    return build({ ...published, ...renamed, ...config });
  };
  const whole: ModelInfo = { ...info, preprocessing: published.preprocessing };
  return Object.assign(create, {
    info: whole,
    pretrained: (source?: string, config: Partial<Config> = {}, options: PretrainedOptions = {}) =>
      loadPretrained(whole, create, source, config, options),
  });
}
