import { type Command, Option } from 'commander';
import type { ClassifyOptions } from '../commands/classify.js';
import { addCommonOptions, wholeNumber } from '../options.js';
import { examples, foreignWeightsOptions, normalisationOptions, sources } from './shared.js';

export function addClassify(program: Command): void {
  const classify = program
    .command('classify <model> <images...>')
    .description('the most probable classes of images and of folders of images')
    .option('--weights <source>', `${sources} (default: the first tag)`)
    .addOption(new Option('--topk <n>', 'predictions for each image').argParser(wholeNumber(1)).default(5));
  addCommonOptions(normalisationOptions(foreignWeightsOptions(classify)))
    .addHelpText(
      'after',
      examples(
        'convkit classify resnet8 runs/start/pictures --weights runs/start/model.safetensors',
        'convkit classify resnet50 cat.jpg dog.png --weights tv2_in1k --topk 3',
        "convkit classify resnet20 ship.png --weights resnet20.th --rename '^module\\.='",
        'convkit classify mobilenet_v3_small cat.jpg --weights keras.safetensors --padding same --mean 0.5,0.5,0.5 --std 0.5,0.5,0.5',
      ),
    )
    .action(async (model: string, images: string[], options: ClassifyOptions) =>
      (await import('../commands/classify.js')).runClassify(model, images, options),
    );
}
