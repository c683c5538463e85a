import { boxSizes, findAnchors } from '@convkit/datasets';
import { openDetection } from '../detection-data.js';
import { UsageError } from '../errors.js';
import { count } from '../format.js';
import { Output } from '../output.js';
import { Progress } from '../progress.js';

export interface AnchorsOptions {
  data: string;
  dataDir?: string;
  count: number;
  /** Width and height. */
  size: [number, number];
  limit?: number;
  seed: number;
  json: boolean;
}

/** Prints the anchors of a data set as a line for a .cfg file. */
export async function runAnchors({ size: [width, height], count: wanted, seed, ...options }: AnchorsOptions): Promise<void> {
  const output = new Output(options.json);
  const progress = new Progress(output);
  const data = await openDetection(options, 'train', 'instances', progress);
  const sizes = await boxSizes(data, [height, width]);
  progress.end();
  if (sizes.length < wanted) {
    throw new UsageError(`--count ${wanted}: ${options.data} has ${sizes.length} boxes; ask for at most as many anchors`);
  }
  const { anchors, meanIou } = findAnchors(sizes, { count: wanted, seed });
  const line = anchors.map((anchor) => anchor.map((side) => Math.max(1, Math.round(side))).join(',')).join(', ');
  output.print(
    `data      ${data.name}: ${count(sizes.length)} boxes in ${count(data.length)} images, seen at ${width}×${height}`,
  );
  output.print(`mean IoU  ${meanIou.toFixed(4)} of a box and its nearest anchor\n`);
  output.print(`anchors = ${line}`);
  output.print(`num=${wanted}`);
  output.result({
    data: options.data,
    images: data.length,
    boxes: sizes.length,
    size: [width, height],
    anchors: anchors.map((anchor) => anchor.map((side) => Number(side.toFixed(3)))),
    meanIou,
  });
}
