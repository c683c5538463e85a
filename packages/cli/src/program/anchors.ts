import type { Command } from 'commander';
import { Option } from 'commander';
import type { AnchorsOptions } from '../commands/anchors.js';
import { sideOrSides, wholeNumber } from '../options.js';
import { examples } from './shared.js';

export function addAnchors(program: Command): void {
  program
    .command('anchors')
    .description('sizes of boxes for the [yolo] sections of a .cfg file, by k-means over the boxes of a data set')
    .requiredOption('--data <data>', 'coco, synthetic, or a folder in COCO’s format')
    .option('--data-dir <dir>', 'folder that holds COCO (default: downloaded to ~/.cache/convkit)')
    .addOption(new Option('--count <n>', 'anchors to find').argParser(wholeNumber(1)).default(9))
    .addOption(
      new Option('--size <size>', 'input of the net, as 416 or 640x384').argParser(sideOrSides).default([416, 416], '416'),
    )
    .addOption(new Option('--limit <n>', 'use only the first n images').argParser(wholeNumber(1)))
    .addOption(new Option('--seed <n>', 'of the first centres').argParser(wholeNumber(0, 0xffffffff)).default(0))
    .option('--json', 'last line of standard output is one JSON object; progress goes to standard error', false)
    .addHelpText(
      'after',
      examples('convkit anchors --data coco --data-dir coco/', 'convkit anchors --data photos/ --count 6 --size 320'),
    )
    .action(async (options: AnchorsOptions) => (await import('../commands/anchors.js')).runAnchors(options));
}
