import { type Command, Option } from 'commander';
import { addCommonOptions, namePattern, number, positive, wholeNumber, wholeNumbers } from '../options.js';
import type { TrainOptions } from '../run-plan.js';
import { type SetExitCode, dataDirOption, dataOption, examples, foreignWeightsOptions, limitOption } from './shared.js';

export function addTrain(program: Command, setExitCode: SetExitCode): void {
  const train = program
    .command('train [model]')
    .description('train a model, or go on with a run that was stopped')
    .addOption(dataOption())
    .addOption(dataDirOption())
    .option('--out <dir>', 'run folder: checkpoints, metrics, pictures, model.safetensors (default: runs/MODEL-DATA)')
    .option('--resume', 'go on with the run in --out, with the settings that it was started with')
    .option('--weights <source>', 'start from these weights; a last layer for other classes starts anew')
    .option('--pretrained [tag]', 'start from published weights (see convkit models; default: the first tag)')
    .addOption(
      new Option('--freeze <pattern>', "'backbone' (all but the head), or a regular expression of parameter names").argParser(
        namePattern,
      ),
    )
    .addOption(new Option('--epochs <n>', 'passes over the training images').argParser(wholeNumber(1)))
    .addOption(new Option('--batch-size <n>', 'images that go through the net at once').argParser(wholeNumber(1)))
    .addOption(new Option('--lr <rate>', 'peak learning rate').argParser(positive))
    .addOption(new Option('--optimizer <name>', 'rule that changes the weights').choices(['sgd', 'adam', 'adamw', 'rmsprop']))
    .addOption(new Option('--momentum <m>', 'of sgd (with Nesterov) and rmsprop').argParser(number(0, 1)))
    .addOption(new Option('--weight-decay <w>', 'pull of the weights towards 0').argParser(number(0)))
    .addOption(
      new Option('--schedule <name>', 'course of the learning rate').choices([
        'cosine',
        'onecycle',
        'step',
        'multistep',
        'constant',
      ]),
    )
    .addOption(new Option('--step-epochs <n>', 'step: epochs between two drops by 10').argParser(wholeNumber(1)))
    .addOption(
      new Option('--milestones <list>', 'multistep: epochs at whose start the rate drops by 10, as 80,120').argParser(
        wholeNumbers,
      ),
    )
    .addOption(new Option('--warmup-epochs <n>', 'epochs of linear warmup').argParser(number(0)))
    .addOption(new Option('--label-smoothing <e>', 'share of the target that is spread over all classes').argParser(number(0, 1)))
    .option('--no-augment', 'train on the images as they are, without random crops, flips and mosaics')
    .addOption(new Option('--close-mosaic <n>', 'of detectors: last epochs without mosaics').argParser(wholeNumber(0)))
    .addOption(
      new Option('--mixup <p>', 'of detectors: share of the mosaics that are blended with another').argParser(number(0, 1)),
    )
    .addOption(new Option('--multi-scale <r>', 'of detectors: sizes of the input from 1 − r to 1 + r').argParser(number(0, 0.9)))
    .addOption(new Option('--accumulate <n>', 'batches whose gradients make one step').argParser(wholeNumber(1)))
    .addOption(new Option('--clip-norm <n>', 'a longer gradient is shortened to this').argParser(positive))
    .addOption(new Option('--image-size <n>', 'side of the input').argParser(wholeNumber(1)))
    .addOption(limitOption())
    .addOption(new Option('--checkpoint-every <n>', 'steps between checkpoints within an epoch').argParser(wholeNumber(1)));
  addCommonOptions(foreignWeightsOptions(train))
    .addHelpText(
      'after',
      `${examples(
        'convkit train resnet8 --data synthetic --out runs/shapes',
        'convkit train resnet20 --data cifar10 --epochs 20 --batch-size 128 --out runs/a',
        'convkit train yolov8n --data synthetic --out runs/boxes',
        'convkit train yolov8n --data coco --data-dir coco/ --weights yolov8n.pt',
        'convkit train resnet18 --data photos/ --pretrained',
        'convkit train resnet18 --data photos/ --weights resnet18.safetensors --freeze backbone',
        'convkit train --resume --out runs/a',
      )}
What is not given is chosen for the data set, and printed and kept in config.json.
A folder may hold train/ and val/ (or test/); otherwise a fifth of each class is held out. Detectors take COCO and folders in its format.
Ctrl-C finishes the step, saves a checkpoint and exits with 130; a second one exits at once.`,
    )
    .action(async (model: string | undefined, options: TrainOptions, command: Command) => {
      const { runTrain } = await import('../commands/train.js');
      setExitCode(await runTrain(model, options, explicitOptions(command)));
    });
}

/** The options that were typed, apart from those that have a default value. */
function explicitOptions(command: Command): Set<string> {
  return new Set(Object.keys(command.opts()).filter((name) => command.getOptionValueSource(name) === 'cli'));
}
