import { type Command, Option } from 'commander';
import type { EvalOptions } from '../commands/eval.js';
import { addCommonOptions, wholeNumber } from '../options.js';
import { dataDirOption, dataOption, examples, limitOption, normalisationOptions, renameOption, sources } from './shared.js';

export function addEval(program: Command): void {
  const evaluate = program
    .command('eval <model>')
    .description('accuracy and loss of weights on the held-out images of a data set')
    .requiredOption('--weights <source>', `${sources}; it says how images are normalised`)
    .addOption(renameOption())
    .addOption(dataOption().makeOptionMandatory())
    .addOption(dataDirOption())
    .addOption(new Option('--batch-size <n>', 'images that go through the net at once').argParser(wholeNumber(1)).default(128))
    .addOption(limitOption())
    .option('--out <dir>', 'write a picture of the confusion matrix and the figures of each class there');
  addCommonOptions(normalisationOptions(evaluate))
    .addHelpText(
      'after',
      examples(
        'convkit eval resnet8 --weights runs/shapes/model.safetensors --data synthetic',
        'convkit eval resnet20 --weights resnet20.safetensors --data cifar10 --data-dir data/cifar10 --out report',
        'convkit eval resnet20 --weights w.safetensors --data cifar10 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225',
      ),
    )
    .action(async (model: string, options: EvalOptions) => (await import('../commands/eval.js')).runEval(model, options));
}
