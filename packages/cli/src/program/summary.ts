import { type Command, Option } from 'commander';
import type { SummaryOptions } from '../commands/summary.js';
import { addCommonOptions, wholeNumber } from '../options.js';
import { examples } from './shared.js';

export function addSummary(program: Command): void {
  addCommonOptions(
    program
      .command('summary <model>')
      .description('the layers of a model: output shapes, parameters, multiply-adds, memory')
      .addOption(new Option('--classes <n>', 'number of classes, instead of the published one').argParser(wholeNumber(1)))
      .addOption(new Option('--image-size <n>', 'side of the input, instead of the published one').argParser(wholeNumber(1))),
  )
    .addHelpText('after', examples('convkit summary resnet20', 'convkit summary resnet50 --image-size 320 --classes 10'))
    .action(async (model: string, options: SummaryOptions) =>
      (await import('../commands/summary.js')).runSummary(model, options),
    );
}
