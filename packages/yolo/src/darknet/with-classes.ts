import { ArgumentError } from '@convkit/core';
import { type DarknetConfig, type LayerConfig, headChannels, isHead } from './config.js';

/** The same net for another number of classes: its heads, and the layers before them, whose outputs they read. */
export function withClasses(cfg: DarknetConfig, classes: number): DarknetConfig {
  const layers: LayerConfig[] = [...cfg.layers];
  layers.forEach((head, i) => {
    if (!isHead(head) || head.classes === classes) return;
    const changed = { ...head, classes };
    const before = layers[i - 1];
    if (before?.kind === 'convolutional') layers[i - 1] = { ...before, filters: headChannels(changed) };
    else if (before?.kind === 'connected') layers[i - 1] = { ...before, output: headChannels(changed) };
    else {
      throw new ArgumentError(
        `line ${head.line}: [${head.kind}] has ${head.classes} classes; for ${classes} the layer before it must be a [convolutional] or [connected].`,
      );
    }
    layers[i] = changed;
  });
  return { ...cfg, layers };
}
