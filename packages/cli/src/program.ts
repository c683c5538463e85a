import { Command } from 'commander';
import { addAnchors } from './program/anchors.js';
import { addBench } from './program/bench.js';
import { addClassify } from './program/classify.js';
import { addCompare } from './program/compare.js';
import { addDetect } from './program/detect.js';
import { addDoctor } from './program/doctor.js';
import { addEval } from './program/eval.js';
import { addExport } from './program/export.js';
import { addModels } from './program/models.js';
import type { SetExitCode } from './program/shared.js';
import { addSummary } from './program/summary.js';
import { addTrain } from './program/train.js';
import { version } from './version.js';

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
  for (const add of [
    addModels,
    addSummary,
    addTrain,
    addEval,
    addCompare,
    addClassify,
    addDetect,
    addAnchors,
    addExport,
    addBench,
    addDoctor,
  ])
    add(program, setExitCode);
  return program;
}
