import { Command, Option } from 'commander';
import type { ClassifyOptions } from './commands/classify.js';
import type { CompareOptions } from './commands/compare.js';
import type { EvalOptions } from './commands/eval.js';
import type { SummaryOptions } from './commands/summary.js';
import {
  type CommonOptions,
  addCommonOptions,
  namePattern,
  number,
  positive,
  threeShares,
  wholeNumber,
  wholeNumbers,
} from './options.js';
import type { TrainOptions } from './run-plan.js';
import { version } from './version.js';

/** Receives an exit code that is not an error's: a training that a signal stopped. */
export type SetExitCode = (code: number) => void;

/** The tree of commands. Each loads its code when it runs, so that help and usage errors are immediate. */
export function createProgram(setExitCode: SetExitCode): Command {
  const program = new Command('convkit')
    .description('Train, evaluate and run convolutional networks.')
    .version(version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .configureOutput({ outputError: (text, write) => write(`${text.trim().replace(/\s*\n\s*/g, ' ')}\n`) })
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  $ convkit models                                          what can be trained and run
  $ convkit train resnet8 --data synthetic                  learn drawn shapes, in minutes
  $ convkit train resnet20 --data cifar10 --epochs 20       download CIFAR-10 and train
  $ convkit classify resnet8 cat.jpg --weights runs/a/model.safetensors

Exit code: 0, 1 after a failure, 2 for wrong usage, 130 or 143 when a signal stopped a training.
Set CONVKIT_DEBUG=1 to see where an error comes from.`,
    );
  for (const add of [addModels, addSummary, addTrain, addEval, addCompare, addClassify, addDoctor]) add(program, setExitCode);
  return program;
}

function addModels(program: Command): void {
  addCommonOptions(program.command('models').description('list every variant of the installed architecture packages'))
    .addHelpText('after', examples('convkit models', 'convkit models --json'))
    .action(async (options: CommonOptions) => (await import('./commands/models.js')).runModels(options));
}

function addSummary(program: Command): void {
  addCommonOptions(
    program
      .command('summary <model>')
      .description('the layers of a model: output shapes, parameters, multiply-adds, memory')
      .addOption(new Option('--classes <n>', 'number of classes, instead of the published one').argParser(wholeNumber(1)))
      .addOption(new Option('--image-size <n>', 'side of the input, instead of the published one').argParser(wholeNumber(1))),
  )
    .addHelpText('after', examples('convkit summary resnet20', 'convkit summary resnet50 --image-size 320 --classes 10'))
    .action(async (model: string, options: SummaryOptions) => (await import('./commands/summary.js')).runSummary(model, options));
}

/** What train, eval and classify share about data. */
const dataOption = (): Option =>
  new Option('--data <data>', 'cifar10, synthetic, or a folder: DIR/CLASS/*.jpg, or *.bin as of CIFAR-10');
const dataDirOption = (): Option =>
  new Option('--data-dir <dir>', 'folder that holds CIFAR-10 (default: downloaded to ~/.cache/convkit)');
const limitOption = (): Option =>
  new Option('--limit <n>', 'use only the first n images of each split').argParser(wholeNumber(1));

/** Where weights come from. */
const sources = 'tag of published weights, .safetensors or .pth file, hf:ORG/NAME/FILE, or URL';
const renameOption = (): Option =>
  new Option('--rename <rule>', 'PATTERN=REPLACEMENT for the names in the weights, a JavaScript regular expression; repeatable')
    .argParser((rule: string, rules: string[]) => [...rules, rule])
    .default([], 'none');

function addTrain(program: Command, setExitCode: SetExitCode): void {
  const train = program
    .command('train [model]')
    .description('train a model, or go on with a run that was stopped')
    .addOption(dataOption())
    .addOption(dataDirOption())
    .option('--out <dir>', 'run folder: checkpoints, metrics, pictures, model.safetensors (default: runs/MODEL-DATA)')
    .option('--resume', 'go on with the run in --out, with the settings that it was started with')
    .option('--weights <source>', 'start from these weights; a last layer for other classes starts anew')
    .option('--pretrained [tag]', 'start from published weights (see convkit models; default: the first tag)')
    .addOption(renameOption())
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
    .option('--no-augment', 'train on the images as they are, without random crops and flips')
    .addOption(new Option('--accumulate <n>', 'batches whose gradients make one step').argParser(wholeNumber(1)))
    .addOption(new Option('--clip-norm <n>', 'a longer gradient is shortened to this').argParser(positive))
    .addOption(new Option('--image-size <n>', 'side of the input').argParser(wholeNumber(1)))
    .addOption(limitOption())
    .addOption(new Option('--checkpoint-every <n>', 'steps between checkpoints within an epoch').argParser(wholeNumber(1)));
  addCommonOptions(train)
    .addHelpText(
      'after',
      `${examples(
        'convkit train resnet8 --data synthetic --out runs/shapes',
        'convkit train resnet20 --data cifar10 --epochs 20 --batch-size 128 --out runs/a',
        'convkit train resnet18 --data photos/ --pretrained',
        'convkit train resnet18 --data photos/ --weights resnet18.safetensors --freeze backbone',
        'convkit train --resume --out runs/a',
      )}
What is not given is chosen for the data set, and printed and kept in config.json.
A folder may hold train/ and val/ (or test/); otherwise a fifth of each class is held out.
Ctrl-C finishes the step, saves a checkpoint and exits with 130; a second one exits at once.`,
    )
    .action(async (model: string | undefined, options: TrainOptions, command: Command) => {
      const { runTrain } = await import('./commands/train.js');
      setExitCode(await runTrain(model, options, explicitOptions(command)));
    });
}

/** The options that were typed, apart from those that have a default value. */
function explicitOptions(command: Command): Set<string> {
  return new Set(Object.keys(command.opts()).filter((name) => command.getOptionValueSource(name) === 'cli'));
}

const normalisationOptions = (command: Command): Command =>
  command
    .addOption(new Option('--mean <r,g,b>', 'subtracted from pixels in 0 … 1').argParser(threeShares))
    .addOption(new Option('--std <r,g,b>', 'divides what is left').argParser(threeShares));

function addEval(program: Command): void {
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
    .action(async (model: string, options: EvalOptions) => (await import('./commands/eval.js')).runEval(model, options));
}

function addCompare(program: Command): void {
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
  addCommonOptions(normalisationOptions(compare))
    .addHelpText(
      'after',
      examples(
        'convkit compare resnet20 resnet32 resnet44 resnet56',
        'convkit compare resnet20 resnet56 --weights 20.safetensors 56.safetensors --data cifar10 --out report',
      ),
    )
    .action(async (models: string[], options: CompareOptions) =>
      (await import('./commands/compare.js')).runCompare(models, options),
    );
}

function addClassify(program: Command): void {
  const classify = program
    .command('classify <model> <images...>')
    .description('the most probable classes of images and of folders of images')
    .option('--weights <source>', `${sources} (default: the first tag)`)
    .addOption(renameOption())
    .addOption(new Option('--topk <n>', 'predictions for each image').argParser(wholeNumber(1)).default(5));
  addCommonOptions(normalisationOptions(classify))
    .addHelpText(
      'after',
      examples(
        'convkit classify resnet8 runs/start/pictures --weights runs/start/model.safetensors',
        'convkit classify resnet50 cat.jpg dog.png --weights tv2_in1k --topk 3',
        "convkit classify resnet20 ship.png --weights resnet20.th --rename '^module\\.='",
      ),
    )
    .action(async (model: string, images: string[], options: ClassifyOptions) =>
      (await import('./commands/classify.js')).runClassify(model, images, options),
    );
}

function addDoctor(program: Command): void {
  addCommonOptions(program.command('doctor').description('which backends can be used here, why, and what to do about the others'))
    .addHelpText('after', examples('convkit doctor', 'convkit doctor --json'))
    .action(async (options: CommonOptions) => (await import('./commands/doctor.js')).runDoctor(options));
}

const examples = (...commands: string[]): string => `\nExamples:\n${commands.map((command) => `  $ ${command}\n`).join('')}`;
