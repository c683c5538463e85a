import { type Command, Option } from 'commander';
import type { CompareOptions } from '../commands/compare.js';
import { addCommonOptions, wholeNumber } from '../options.js';
import { dataDirOption, dataOption, examples, foreignWeightsOptions, limitOption, normalisationOptions } from './shared.js';

export function addCompare(program: Command): void {
  const compare = program
    .command('compare <models...>')
    .description('models side by side: accuracy, parameters, multiply-adds, latency, memory')
    .option('--weights <files...>', 'one file for each model, in their order; without them accuracy is left out')
    .addOption(dataOption())
    .addOption(dataDirOption())
    .addOption(limitOption())
    .addOption(
      new Option('--runs <n>', 'timed passes of each batch size, after three to warm up').argParser(wholeNumber(1)).default(10),
    )
    .addOption(
      new Option('--classes <n>', 'classes of untrained models, instead of the published number').argParser(wholeNumber(1)),
    )
    .option('--out <dir>', 'write a picture of the trade-offs and the figures there');
  addCommonOptions(normalisationOptions(foreignWeightsOptions(compare)))
    .addHelpText(
      'after',
      examples(
        'convkit compare resnet20 resnet32 resnet44 resnet56',
        'convkit compare resnet20 resnet56 --weights 20.safetensors 56.safetensors --data cifar10 --out report',
      ),
    )
    .action(async (models: string[], options: CompareOptions) =>
      (await import('../commands/compare.js')).runCompare(models, options),
    );
}
