import { env } from '@tensorflow/tfjs-core';

/** Runs `work` without tfjs' console messages (it prints none in production mode); errors still reach the caller. */
export async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const production = env().getBool('PROD');
  env().set('PROD', true);
  try {
    return await work();
  } finally {
    env().set('PROD', production);
  }
}
