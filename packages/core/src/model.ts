import type { Classifier } from './classifier.js';
import type { Preprocessing } from './image.js';

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
  return Object.assign(create, { info: { ...info, preprocessing: published.preprocessing } });
}
