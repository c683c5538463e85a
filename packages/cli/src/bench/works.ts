import { inputSize } from '@convkit/core';
import { UsageError } from '../errors.js';
import { findModel } from '../model-packages.js';
import { type Line, type Mode, lists } from './lists.js';

/** What is timed: a forward pass, or an optimizer step (SGD with momentum), of one net on one batch. */
export interface Work {
  readonly model: string;
  readonly mode: Mode;
  readonly batch: number;
  /** Height and width of the images. */
  readonly side: number;
  readonly classes: number;
}

export interface WorkOptions {
  list: string;
  models?: string;
  batch?: readonly number[];
  mode?: Mode | 'both';
}

/** The works that the options ask for. Throws UsageError for a model that is not known. */
export async function chooseWorks({ list, models, batch, mode }: WorkOptions): Promise<Work[]> {
  const modes: readonly Mode[] = mode === 'both' ? ['inference', 'training'] : [mode ?? 'inference'];
  const asked = models === undefined ? lists[list] : modes.map((each): Line => [models, each, []]);
  const lines = models === undefined && mode !== undefined ? asked.filter(([, each]) => modes.includes(each)) : asked;
  const works: Work[] = [];
  for (const [names, each, published] of lines) {
    for (const name of names.split(',')) {
      const net = await resolve(name.trim());
      const usual = published.length > 0 ? published : [each === 'inference' ? 1 : net.side < 64 ? 128 : 16];
      for (const size of batch ?? usual) works.push({ ...net, mode: each, batch: size });
    }
  }
  return works;
}

async function resolve(text: string): Promise<Pick<Work, 'model' | 'side' | 'classes'>> {
  const [name, size] = text.split('@');
  const { info, classes } = await published(name);
  const side = size === undefined ? info.side : Number(size);
  if (!Number.isInteger(side) || side < 1)
    throw new UsageError(`--models: '${text}' must be a name, or a name@side as resnet18@32`);
  return { model: info.name, side, classes: smallStem(info.name, side) ? 10 : classes };
}

async function published(name: string): Promise<{ info: { name: string; side: number }; classes: number }> {
  const factory = await findModel(name);
  const { name: known, preprocessing } = factory.info;
  const [height, width] = inputSize(preprocessing);
  if (height !== width) throw new UsageError(`bench takes nets of square images, and ${known} takes ${height}×${width}`);
  const model = factory();
  const classes = model.classes.length;
  model.dispose();
  return { info: { name: known, side: height }, classes };
}

/** ImageNet's ResNets take their small stem for images below 64×64, as in `convkit train`. */
export const smallStem = (model: string, side: number): boolean => side < 64 && /^resnet(18|34|50|101|152)$/.test(model);

/** resnet18@32 training, batch 64 */
export const workName = ({ model, mode, batch, side }: Work): string =>
  `${model}${smallStem(model, side) ? `@${side}` : ''} ${mode}, batch ${batch}`;
