import type { Tensor } from '@tensorflow/tfjs-core';
import type { Context, Module } from './module.js';

type Forward = (x: Tensor, ctx: Context) => unknown;

/** A module that takes part in a forward pass; `enter` is called before, `leave` after it. */
export interface Observer {
  enter?(name: string, x: Tensor): void;
  leave?(name: string, output: unknown, x: Tensor): void;
}

/** Runs `run` while some modules compute something else; their own forward passes are back afterwards, also after an error. */
export function withForwards<T>(replacements: Iterable<readonly [Module<unknown>, Forward]>, run: () => T): T {
  const before: [Module<unknown>, PropertyDescriptor | undefined][] = [];
  try {
    for (const [module, forward] of replacements) {
      before.push([module, Object.getOwnPropertyDescriptor(module, 'forward')]);
      Object.defineProperty(module, 'forward', { value: forward, configurable: true, enumerable: false });
    }
    return run();
  } finally {
    for (const [module, own] of before.reverse()) {
      if (own) Object.defineProperty(module, 'forward', own);
      else Reflect.deleteProperty(module, 'forward');
    }
  }
}

/** Runs `run`, a forward pass, and tells the observer what goes into and comes out of these modules. */
export function observe<T>(modules: Iterable<readonly [string, Module<unknown>]>, observer: Observer, run: () => T): T {
  const watched = [...modules].map(([name, module]) => {
    const forward = module.forward.bind(module);
    const watch: Forward = (x, ctx) => {
      observer.enter?.(name, x);
      const output = forward(x, ctx);
      observer.leave?.(name, output, x);
      return output;
    };
    return [module, watch] as const;
  });
  return withForwards(watched, run);
}
