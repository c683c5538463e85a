import { type Command, Option } from 'commander';
import { lists } from '../bench/lists.js';
import type { BenchOptions } from '../commands/bench.js';
import { positive, wholeNumber, wholeNumbers } from '../options.js';
import { examples } from './shared.js';

export function addBench(program: Command): void {
  program
    .command('bench')
    .description('speed of this machine: convkit on each backend, plain tfjs, ONNX Runtime and PyTorch, in turn in one run')
    .addOption(new Option('--list <name>', 'which works, where no models are named').choices(Object.keys(lists)).default('quick'))
    .option('--models <list>', 'variants, as resnet50,resnet18@32 (a side of the input that is not the published one)')
    .addOption(
      new Option(
        '--batch <list>',
        'images at once, as 1,8 (default: 1; in training 128 of small images, 16 of others)',
      ).argParser(wholeNumbers),
    )
    .addOption(
      new Option('--mode <mode>', 'forward passes, or steps of SGD with momentum').choices(['inference', 'training', 'both']),
    )
    .option('--engines <list>', 'as convkit,tfjs:wasm,onnxruntime,pytorch, or all (default: all that are not slow)')
    .option('--python <path>', 'a Python with PyTorch and torchvision (default: python3, /usr/bin/python3)')
    .addOption(new Option('--runs <n>', 'timed runs of each engine, at most').argParser(wholeNumber(1)).default(20))
    .addOption(new Option('--seconds <s>', 'time that these runs may take together').argParser(positive).default(3))
    .option('--out <dir>', 'write a picture and the figures there')
    .option('--json', 'last line of standard output is one JSON object; progress goes to standard error', false)
    .addHelpText(
      'after',
      examples(
        'convkit bench',
        'convkit bench --list full --seconds 10 --out report',
        'convkit bench --models resnet50,vgg16 --batch 1,8 --engines convkit,onnxruntime',
        'convkit bench --models resnet20 --mode training --batch 128 --engines all',
      ),
    )
    .action(async (options: BenchOptions) => (await import('../commands/bench.js')).runBench(options));
  program
    .command('bench-worker <engine>', { hidden: true })
    .action(async (engine: string) => (await import('../commands/bench-worker.js')).runBenchWorker(engine));
}
