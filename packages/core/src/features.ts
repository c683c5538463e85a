import { Tensor, clone, engine, keep, tidy } from '@tensorflow/tfjs-core';
import { ArgumentError } from './errors.js';
import { observe } from './hooks.js';
import { type Context, type Module, inference } from './module.js';

/** A level of a net's feature pyramid. */
export interface FeatureStage {
  /** Path of the module whose output it is, `layer3` or `features.17`. */
  readonly name: string;
  /** Pixels of the image to a pixel of the stage, along each axis. */
  readonly stride: number;
  readonly channels: number;
}

/** Of stages in the order of the net, the last one at each stride: the levels that a feature pyramid is built on. */
export function pyramid(stages: readonly FeatureStage[]): FeatureStage[] {
  return stages.filter(({ stride }, i) => stages[i + 1]?.stride !== stride);
}

/**
 * The outputs of modules inside a net, by their paths: ResNet-50's `['layer2', 'layer4']` gives [N, H/8, W/8, 512] and
 * [N, H/32, W/32, 2048], in the order asked for. What comes after the last of them does not run.
 *
 * The tensors are the caller's. Gradients flow through them, so that a detector may train with a net as its backbone. Of a
 * module that runs several times it is the first output. Throws ArgumentError for a name that the net does not have or
 * does not run, for a module that does not give one tensor, and, while training, for one that is computed anew in the
 * backward pass (`recompute`), through which no gradient would flow.
 */
export function features(model: Module<unknown>, x: Tensor, names: readonly string[], ctx: Context = inference): Tensor[] {
  return tap('output', model, x, names, ctx);
}

/** What goes into modules, or what comes out of them; see `features`. */
export function tap(
  side: 'input' | 'output',
  model: Module<unknown>,
  x: Tensor,
  names: readonly string[],
  ctx: Context = inference,
): Tensor[] {
  const wanted = new Set(names);
  const modules = [...model.modules()].filter(([name]) => wanted.has(name));
  const unknown = names.filter((name) => !modules.some(([known]) => known === name));
  if (unknown.length > 0) throw new ArgumentError(`The net has no module ${unknown.join(', ')}; ${nearby(model, unknown[0])}`);

  const found = new Map<string, Tensor>();
  const enough = new Enough();
  const take = (name: string, value: unknown): void => {
    if (found.has(name)) return;
    found.set(name, keep(clone(checked(name, value))));
    if (found.size === wanted.size) throw enough;
  };
  try {
    try {
      observe(modules, side === 'input' ? { enter: take } : { leave: take }, () => tidy(() => void model.forward(x, ctx)));
    } catch (thrown) {
      if (thrown !== enough) throw thrown;
    }
    const missing = names.filter((name) => !found.has(name));
    if (missing.length > 0) throw new ArgumentError(`The net has a module ${missing.join(', ')}, but this pass did not run it.`);
    return names.map((name) => clone(found.get(name)!));
  } finally {
    for (const tensor of found.values()) tensor.dispose();
  }
}

/** Leaves a forward pass whose rest nobody needs. */
class Enough extends Error {}

function checked(name: string, value: unknown): Tensor {
  if (!(value instanceof Tensor))
    throw new ArgumentError(`The module ${name} gives more than one tensor: name one of its parts.`);
  if (engine().state.kernelDepth > 0) {
    throw new ArgumentError(`The module ${name} is computed anew in the backward pass: name the module that contains it.`);
  }
  return value as Tensor;
}

/** What the deepest module on the way to a wrong name contains. */
function nearby(model: Module<unknown>, name: string): string {
  const modules = new Map(model.modules());
  const path = name.split('.');
  while (path.length > 0 && !modules.has(path.join('.'))) path.pop();
  const parent = path.join('.');
  const parts = [...modules.keys()].filter((key) => key !== '' && key.slice(0, Math.max(0, key.lastIndexOf('.'))) === parent);
  return `${parent === '' ? 'its parts are' : `the parts of ${parent} are`} ${parts.join(', ')}.`;
}
