export type Mode = 'inference' | 'training';

/** Variants by name, with the side of the input where that is not the published one: `resnet18@32`. */
export type Line = readonly [models: string, mode: Mode, batches: readonly number[]];

/** The works of `convkit bench` where no models are named. */
export const lists: Readonly<Record<string, readonly Line[]>> = {
  quick: [
    ['resnet50', 'inference', [1]],
    ['mobilenet_v3_large', 'inference', [1]],
    ['resnet20', 'training', [128]],
  ],
  full: [
    ['resnet20', 'training', [128]],
    ['resnet18@32', 'training', [64]],
    ['mobilenet_v2', 'training', [16]],
    ['densenet100_k12_bc', 'training', [64]],
    ['resnet50,vgg16,densenet121,efficientnet_b0,mobilenet_v3_large,inception_v3,yolov8n', 'inference', [1, 8]],
  ],
};
