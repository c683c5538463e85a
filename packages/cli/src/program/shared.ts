import { type Command, Option } from 'commander';
import { threeShares, wholeNumber } from '../options.js';

/** Receives an exit code that is not an error's: a training that a signal stopped. */
export type SetExitCode = (code: number) => void;

/** What train, eval and classify share about data. */
export const dataOption = (): Option =>
  new Option('--data <data>', 'cifar10, coco, synthetic, or a folder: DIR/CLASS/*.jpg, *.bin as of CIFAR-10, or as of COCO');
export const dataDirOption = (): Option =>
  new Option('--data-dir <dir>', 'folder that holds CIFAR-10 (default: downloaded to ~/.cache/convkit)');
export const limitOption = (): Option =>
  new Option('--limit <n>', 'use only the first n images of each split').argParser(wholeNumber(1));

/** Where weights come from. */
export const sources = 'tag of published weights, .safetensors or .pth file, hf:ORG/NAME/FILE, or URL';
/** What a weight file may not say of itself. */
export const foreignWeightsOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--rename <rule>',
        'PATTERN=REPLACEMENT for the names in the weights, a JavaScript regular expression; repeatable',
      )
        .argParser((rule: string, rules: string[]) => [...rules, rule])
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--padding <style>',
        "same for weights of TensorFlow and Keras (default: as the weights say, or the net's own)",
      ).choices(['same', 'symmetric']),
    );

export const normalisationOptions = (command: Command): Command =>
  command
    .addOption(new Option('--mean <r,g,b>', 'subtracted from pixels in 0 … 1').argParser(threeShares))
    .addOption(new Option('--std <r,g,b>', 'divides what is left').argParser(threeShares));

export const examples = (...commands: string[]): string =>
  `\nExamples:\n${commands.map((command) => `  $ ${command}\n`).join('')}`;
