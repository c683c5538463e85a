import { type Command, Option } from 'commander';
import type { DetectOptions } from '../commands/detect.js';
import { addCommonOptions, number, sideOrSides, wholeNumber } from '../options.js';
import { examples, foreignWeightsOptions, sources } from './shared.js';

/** What detect and eval share about the choice of detections. */
export const sizeOption = (): Option =>
  new Option('--size <n|WxH>', "detectors: side of the net's input, or its width and height (default: the net's own)").argParser(
    sideOrSides,
  );
export const iouOption = (): Option =>
  new Option(
    '--iou <share>',
    "detectors: of two boxes of a class that overlap more, one goes (default: the net's own)",
  ).argParser(number(0, 1));

export function addDetect(program: Command): void {
  const detect = program
    .command('detect <model> <images...>')
    .description('the objects in images, folders of images, or video frames on standard input (-); NET.cfg is a Darknet net')
    .option('--weights <source>', `${sources}; Darknet's .weights (default: the first tag)`)
    .addOption(new Option('--conf <score>', 'objects below this score are left out').argParser(number(0, 1)).default(0.25))
    .addOption(iouOption())
    .addOption(new Option('--max-detections <n>', 'objects of an image (default: 300)').argParser(wholeNumber(1)))
    .option('--classes <list>', 'only these, by name or index, as person,2')
    .addOption(sizeOption())
    .addOption(
      new Option('--frames <WxH>', 'standard input is raw video: frames of 8-bit RGB of this size').argParser(sideOrSides),
    )
    .option('--out <dir>', 'write pictures with the objects drawn there');
  addCommonOptions(foreignWeightsOptions(detect))
    .addHelpText(
      'after',
      `${examples(
        'convkit detect yolov8n bus.jpg --weights yolov8n.pt --out found',
        'convkit detect yolov8n-seg photos/ --weights yolov8n-seg.safetensors --classes person,car --json',
        'convkit detect yolov3-tiny.cfg dog.jpg --weights yolov3-tiny.weights',
        'ffmpeg -i in.mp4 -f image2pipe -c:v mjpeg - | convkit detect yolov8n - --weights yolov8n.pt --json',
        'ffmpeg -i in.mp4 -f rawvideo -pix_fmt rgb24 - | convkit detect yolov8n - --weights yolov8n.pt --frames 1280x720',
      )}
With --json, frames of a stream are one line each, as soon as they are done, and the last line says how many there were.`,
    )
    .action(async (model: string, images: string[], options: DetectOptions) =>
      (await import('../commands/detect.js')).runDetect(model, images, options),
    );
}
