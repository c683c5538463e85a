import { FormatError } from '../errors.js';
import type { PaddingStyle } from '../layers/conv2d.js';
import type { ClassModel, CommonConfig } from '../model.js';
import type { Module } from '../module.js';

/** Options of a net that change what its weights mean, beside classes and preprocessing: a file of them has to say so. */
export interface StoredConfig {
  readonly padding?: PaddingStyle;
  /** ResNet's and DenseNet's, `small` for small images. */
  readonly stem?: string;
  readonly norm?: { readonly eps: number; readonly momentum: number };
  /** Heads for training only. */
  readonly auxiliary?: boolean;
  /** Channels in the order of Caffe. */
  readonly bgr?: boolean;
}

/** How an option is read from the text of the metadata; undefined: it cannot be. */
const readers: { readonly [K in keyof Required<StoredConfig>]: (text: string) => StoredConfig[K] } = {
  padding: (text) => (text === 'same' || text === 'symmetric' ? text : undefined),
  stem: (text) => (/^\w+$/.test(text) ? text : undefined),
  norm: (text) => {
    const [eps, momentum] = /^\{"eps":([\de.-]+),"momentum":([\de.-]+)\}$/.exec(text)?.slice(1).map(Number) ?? [];
    return eps > 0 && momentum >= 0 ? { eps, momentum } : undefined;
  },
  auxiliary: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  bgr: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};
const names = Object.keys(readers) as (keyof StoredConfig)[];

/**
 * The options of the net in the metadata of a weight file.
 * Throws FormatError, starting with `source`, for one that is not understood.
 */
export function storedConfig(metadata: Readonly<Record<string, string>>, source: string): StoredConfig {
  const found = names.filter((name) => Object.hasOwn(metadata, name));
  return Object.fromEntries(
    found.map((name) => {
      const value = readers[name](metadata[name]);
      if (value !== undefined) return [name, value];
      throw new FormatError(
        `${source}: the metadata '${name}' is not understood: ${JSON.stringify(metadata[name].slice(0, 80))}`,
      );
    }),
  );
}

type About = Readonly<Record<string, string>>;
const ABOUT = Symbol.for('convkit.about');

/** Notes on a model of `defineModel` which variant it is, and where its options depart from the published ones. */
export function describeBuilt(
  model: Module<unknown>,
  name: string,
  published: CommonConfig & StoredConfig,
  config: CommonConfig & StoredConfig,
): void {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const other = names.filter((key) => config[key] !== undefined && text(config[key]) !== text(published[key]));
  const about = { model: name, ...Object.fromEntries(other.map((key) => [key, text(config[key])])) };
  Object.defineProperty(model, ABOUT, { value: about });
}

/**
 * The metadata of a weight file from which `pretrained` builds the same model again: variant, options, classes, preprocessing.
 * Empty for a module that no factory made.
 */
export function modelMetadata(model: Module<unknown>): Record<string, string> {
  const { [ABOUT]: about, classes, preprocessing } = model as ClassModel & Partial<CommonConfig> & { [ABOUT]?: About };
  if (!about) return {};
  return {
    ...about,
    classes: JSON.stringify(classes),
    ...(preprocessing !== undefined && { preprocessing: JSON.stringify(preprocessing) }),
  };
}
