import { ArgumentError } from './errors.js';
import type { Module, Parameter } from './module.js';

/** Which parameters: a path and everything below it (`layer1`, `layer1.0.conv1.weight`), or an expression that a name contains. */
export type NamePattern = string | RegExp;

/** Does a name of the state dict fit the pattern? */
export function matchesName(pattern: NamePattern, name: string): boolean {
  if (typeof pattern === 'string') return name === pattern || name.startsWith(`${pattern}.`);
  return name.search(pattern) >= 0; // not test(), which remembers where it was
}

/**
 * Takes parameters out of training: no gradient is computed for them, and no weight decay moves them. A BatchNorm whose
 * weight and bias are both frozen normalises with its running statistics, which then stay, as in evaluation. Gives the names
 * of the parameters that the pattern fits.
 *
 *     freeze(model, /^(?!fc\.)/)       all but the head
 *     freeze(model, 'layer1')          everything in layer1
 *
 * Throws ArgumentError if there is no such parameter.
 */
export function freeze(model: Module<unknown>, pattern: NamePattern): string[] {
  return setTrainable(model, pattern, false);
}

/** Brings parameters back into training; by default all. Gives their names. */
export function unfreeze(model: Module<unknown>, pattern: NamePattern = /(?:)/): string[] {
  return setTrainable(model, pattern, true);
}

function setTrainable(model: Module<unknown>, pattern: NamePattern, trainable: boolean): string[] {
  const found = matchingParameters(model, pattern);
  for (const [, parameter] of found) parameter.trainable = trainable;
  return found.map(([name]) => name);
}

/** The parameters that a pattern fits; throws ArgumentError if there are none, which a misspelt pattern would hide. */
export function matchingParameters(model: Module<unknown>, pattern: NamePattern): [name: string, parameter: Parameter][] {
  const found = [...model.parameters()].filter(([name]) => matchesName(pattern, name));
  if (found.length > 0) return found;
  const [[first] = ['none']] = model.parameters();
  throw new ArgumentError(`No parameter fits the pattern ${String(pattern)}; names are such as ${first}.`);
}

/** The parameters that are not frozen. */
export function trainableParameters(model: Module<unknown>): [name: string, parameter: Parameter][] {
  return [...model.parameters()].filter(([, { trainable }]) => trainable);
}
