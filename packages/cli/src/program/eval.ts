import { type Command, Option } from 'commander';
import type { EvalOptions } from '../commands/eval.js';
import { addCommonOptions, number, wholeNumber } from '../options.js';
import { iouOption, sizeOption } from './detect.js';
import {
  dataDirOption,
  dataOption,
  examples,
  foreignWeightsOptions,
  limitOption,
  normalisationOptions,
  sources,
} from './shared.js';

export function addEval(program: Command): void {
  const evaluate = program
    .command('eval <model>')
    .description("accuracy and loss of weights on the held-out images of a data set; of a detector COCO's average precision")
    .requiredOption('--weights <source>', `${sources}; it says how images are normalised`)
    .addOption(dataOption().makeOptionMandatory())
    .addOption(dataDirOption())
    .addOption(new Option('--batch-size <n>', 'images that go through the net at once').argParser(wholeNumber(1)).default(128))
    .addOption(limitOption())
    .addOption(
      new Option('--conf <score>', 'detectors: objects below this score are left out (default: 0.001)').argParser(number(0, 1)),
    )
    .addOption(iouOption())
    .addOption(new Option('--max-detections <n>', 'detectors: objects of an image (default: 300)').argParser(wholeNumber(1)))
    .addOption(sizeOption())
    .option('--out <dir>', 'write pictures, the figures of each class and the detections there');
  addCommonOptions(normalisationOptions(foreignWeightsOptions(evaluate)))
    .addHelpText(
      'after',
      examples(
        'convkit eval resnet8 --weights runs/shapes/model.safetensors --data synthetic',
        'convkit eval resnet20 --weights resnet20.safetensors --data cifar10 --data-dir data/cifar10 --out report',
        'convkit eval yolov8n --weights yolov8n.pt --data coco',
        'convkit eval yolov3.cfg --weights yolov3.weights --data coco --data-dir data/coco --out report',
        'convkit eval resnet20 --weights w.safetensors --data cifar10 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225',
      ),
    )
    .action(async (model: string, options: EvalOptions) => (await import('../commands/eval.js')).runEval(model, options));
}
