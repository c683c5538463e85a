import { type Command, Option } from 'commander';
import type { ExportOptions } from '../commands/export.js';
import { addCommonOptions, number, sideOrSides, wholeNumber } from '../options.js';
import { dataDirOption, examples, foreignWeightsOptions, limitOption, sources } from './shared.js';

export function addExport(program: Command): void {
  const command = program
    .command('export <model>')
    .description('write a net with its weights as an ONNX file; needs @convkit/onnx')
    .option('--weights <source>', `${sources} (default: the first tag)`)
    .option('--out <file>', 'file to write (default: MODEL.onnx)')
    .addOption(
      new Option('--size <n|WxH>', "side of the images, or width and height (default: the net's own)").argParser(sideOrSides),
    )
    .option('--any-size', 'leave the size of the images open, where the net allows it')
    .addOption(new Option('--batch <n>', 'images at once (default: any number)').argParser(wholeNumber(1)))
    .addOption(
      new Option('--store <type>', 'type of the stored weights; int8 also computes with whole numbers')
        .choices(['float32', 'float16', 'int8'])
        .default('float32'),
    )
    .option('--data <data>', 'classifiers: top-1 of net and file on cifar10, synthetic, or a folder: DIR/CLASS/*.jpg, or *.bin')
    .addOption(dataDirOption())
    .addOption(limitOption())
    .option('--nms', 'detectors: add an output with what non-maximum suppression leaves')
    .addOption(new Option('--conf <score>', 'with --nms: least score').argParser(number(0, 1)).default(0.25))
    .addOption(new Option('--iou <share>', 'with --nms: overlap from which a box goes').argParser(number(0, 1)).default(0.7))
    .addOption(new Option('--max-detections <n>', 'with --nms: detections at most').argParser(wholeNumber(1)).default(300));
  addCommonOptions(foreignWeightsOptions(command))
    .addHelpText(
      'after',
      `${examples(
        'convkit export resnet50 --weights tv2_in1k --out resnet50.onnx',
        'convkit export mobilenet_v3_small --weights w.safetensors --store float16',
        'convkit export resnet20 --weights w.safetensors --store int8 --data cifar10',
        'convkit export yolov8n --weights yolov8n.pt --size 640 --nms --out yolov8n.onnx',
      )}
The file (opset 17) takes \`images\` [N, 3, H, W] and gives \`logits\`, or \`boxes\`, \`scores\` and more; its metadata holds the classes and the
preprocessing. It is run once in ONNX Runtime and compared with the net; with --data, so is a classifier's accuracy on the held-out images.`,
    )
    .action(async (model: string, options: ExportOptions) => (await import('../commands/export.js')).runExport(model, options));
}
