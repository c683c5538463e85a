import { ArgumentError, FormatError } from './errors.js';
import type { Preprocessing } from './image.js';
import type { PaddingStyle } from './layers/conv2d.js';
import type { ClassModel, CommonConfig, KnownDataset, ModelInfo } from './model.js';
import { cifar10Classes } from './labels/cifar10.js';
import { cocoClasses } from './labels/coco.js';
import { vocClasses } from './labels/voc.js';
import { type PublishedWeights, defaultTag } from './published.js';
import { loadBackbone } from './weights/backbone.js';
import { type StoredConfig, storedConfig } from './weights/model-metadata.js';
import { loadStateDict } from './weights/state-dict.js';
import type { WeightsFile } from './weights/weights-file.js';
import {
  type FetchOptions,
  type FetchWeights,
  type WeightsLocation,
  locationText,
  parseLocation,
} from './weights/weights-source.js';

export interface PretrainedOptions extends FetchOptions {
  /** Of the head that is drawn anew when `numClasses` is not that of the weights. Default 0. */
  readonly seed?: number;
}

/** Weights that no table describes, and what must be known to use them. What is left out is as the file says, or the variant's own. */
export interface WeightsSource {
  /** `hf:organisation/name/file`, a URL or, in Node, a path. */
  readonly file: string;
  /** Gives each name of the file its name in the model. */
  readonly rename?: (name: string) => string;
  /** `same` for weights that were trained with TensorFlow or Keras, where the net has both. */
  readonly padding?: PaddingStyle;
  readonly preprocessing?: Partial<Preprocessing>;
}

/** Where a model's weights came from, and what of them was loaded. */
export interface WeightsOrigin {
  /** As `pretrained` takes it: `hf:timm/resnet50.tv_in1k/model.safetensors`, a URL or a path. */
  readonly source: string;
  readonly tag: string | undefined;
  /** Number of weights and buffers that were set. */
  readonly loaded: number;
  /** The weights that did not come from the file: those of a head for other classes. */
  readonly fresh: readonly string[];
}

/** A model with its weights, and where they came from. */
export type Pretrained<Model> = Model & { readonly origin: WeightsOrigin };

/** Weights on the way into a model. */
export interface OpenedWeights {
  readonly file: WeightsFile;
  /** As errors name them. */
  readonly source: string;
  readonly tag: string | undefined;
  readonly published: PublishedWeights | undefined;
  /** What the caller says of them. */
  readonly given: Omit<WeightsSource, 'file'>;
}

/**
 * Gets the weights of a variant: by tag (default: the first of `info.weights`), `hf:organisation/name/file`, URL or path.
 * Throws ArgumentError for a tag that is not known or a padding that the net does not have, and what getting and reading the file may
 * throw.
 */
export async function openWeights(
  info: ModelInfo,
  source?: string | WeightsSource,
  options: FetchOptions = {},
): Promise<OpenedWeights> {
  const { file: name, ...given }: Partial<WeightsSource> = typeof source === 'object' ? source : { file: source };
  if (given.padding !== undefined && info.padding === undefined) {
    throw new ArgumentError(`${info.name} has no choice of padding, found '${given.padding}': leave it out.`);
  }
  const { tag, published, location } = findWeights(info, name);
  const { fetchWeights } = await lazily();
  return { file: await fetchWeights(location, options), source: locationText(location), tag, published, given };
}

/**
 * What only published weights need. The package's `imports` decide which module it is: one with Node's files and cache, or one with a
 * browser's fetch, so that neither bundles the other.
 */
const lazily = (): Promise<{ fetchWeights: FetchWeights; imagenetClasses: readonly string[] }> => import('#fetch-weights');

function findWeights(
  info: ModelInfo,
  source: string | undefined,
): { tag: string | undefined; published: PublishedWeights | undefined; location: WeightsLocation } {
  const table = info.weights ?? {};
  const name = source ?? defaultTag(info.name, table);
  if (Object.hasOwn(table, name)) return { tag: name, published: table[name], location: table[name].location };
  if (/^[\w-]+$/.test(name)) {
    const tags = Object.keys(table);
    const known = tags.length > 0 ? `its tags are ${tags.join(', ')}` : 'it has none';
    throw new ArgumentError(
      `${info.name} has no published weights ${JSON.stringify(name)} (${known}); for a file write ./${name}.`,
    );
  }
  return { tag: undefined, published: undefined, location: parseLocation(name) };
}

/** Builds a variant and loads published or own weights into it; see `ModelFactory.pretrained`. */
export async function loadPretrained<Config extends CommonConfig, Model extends ClassModel>(
  info: ModelInfo,
  build: (config: Partial<Config>) => Model,
  source: string | WeightsSource | undefined,
  config: Partial<Config>,
  options: PretrainedOptions,
): Promise<Pretrained<Model>> {
  const opened = await openWeights(info, source, options);
  const brought = await weightsConfig(opened, info);
  const asked = config.numClasses ?? config.classes?.length;
  const model = build({
    ...brought,
    ...(asked === undefined ? {} : headFor(asked, brought)),
    ...config,
    ...preprocessingFor(opened, info, config),
  });
  try {
    const rename = opened.given.rename ?? opened.published?.rename;
    const how = { ...(rename && { rename }), ...(options.seed === undefined ? {} : { seed: options.seed }) };
    const { tensors } = opened.file;
    // A new head is something to ask for: without numClasses, weights of other classes do not fit.
    const { loaded, fresh } =
      asked === undefined ? { ...loadStateDict(model, tensors, how), fresh: [] } : loadBackbone(model, tensors, how);
    const { source: from, tag } = opened;
    return Object.assign(model, { origin: { source: from, tag, loaded: loaded.length, fresh } });
  } catch (error) {
    model.dispose();
    throw error instanceof FormatError ? new FormatError(`${opened.source} does not fit ${info.name}. ${error.message}`) : error;
  }
}

/** The classes and the options that the weights bring; see `weightsOptions`, which throws for weights that do not belong here. */
export async function weightsConfig(weights: OpenedWeights, info: ModelInfo): Promise<Partial<CommonConfig> & StoredConfig> {
  const { file, published, source } = weights;
  const options = weightsOptions(weights, info);
  const { classes } = file.metadata;
  const dataset = published?.classes ?? info.dataset;
  const names = classes === undefined ? dataset && (await classesOf(dataset)) : parseClasses(classes, source);
  return { ...(names && { classes: names, numClasses: names.length }), ...options };
}

/**
 * The options of the net that the weights need: as the caller says, then the published table, then the metadata of the file.
 * Throws FormatError for weights of another variant, and for metadata that are not understood.
 */
export function weightsOptions(
  { file, published, source, given }: OpenedWeights,
  info: ModelInfo,
): Partial<CommonConfig> & StoredConfig {
  const { model } = file.metadata;
  if (model !== undefined && model !== info.name)
    throw new FormatError(`${source} holds weights of ${model}, not of ${info.name}.`);
  const stored = storedConfig(file.metadata, source);
  if (stored.padding !== undefined && info.padding === undefined)
    throw new FormatError(`${source}: the weights are padded '${stored.padding}', but ${info.name} has no choice of padding.`);
  return { ...stored, ...published?.config, ...(given.padding && { padding: given.padding }) };
}

async function classesOf(dataset: KnownDataset): Promise<readonly string[]> {
  if (dataset === 'imagenet') return (await lazily()).imagenetClasses;
  return { cifar10: cifar10Classes, coco: cocoClasses, voc: vocClasses }[dataset];
}

function parseClasses(text: string, source: string): readonly string[] {
  try {
    const classes: unknown = JSON.parse(text);
    if (Array.isArray(classes) && classes.every((name) => typeof name === 'string')) return classes;
  } catch {
    // Reported below, like JSON that is not a list.
  }
  throw new FormatError(`${source}: expected the metadata 'classes' to be a JSON list of names, found ${text.slice(0, 80)}`);
}

/** What the caller says, then the file, then the table, then the variant. */
function preprocessingFor(
  { file, published, given }: OpenedWeights,
  info: ModelInfo,
  config: Partial<CommonConfig>,
): { preprocessing: CommonConfig['preprocessing'] } {
  return {
    preprocessing: config.preprocessing ?? {
      ...(published?.preprocessing ?? info.preprocessing),
      ...file.preprocessing,
      ...given.preprocessing,
    },
  };
}

/** Keeps the names of the classes where there are as many as asked for. */
const headFor = (numClasses: number, { classes }: Partial<CommonConfig>): Partial<CommonConfig> =>
  classes?.length === numClasses ? { numClasses } : { numClasses, classes: undefined };
