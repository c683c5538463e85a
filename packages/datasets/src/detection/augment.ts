import type { Random } from '@convkit/core';
import { compose, drawAffine, fitMatrix, warp } from './affine.js';
import type { DetectionAugmentation } from './augmentation.js';
import { blend, drawBlend, jitterColours } from './colour.js';
import { flip } from './flip.js';
import type { Labelled } from './labelled.js';
import { mosaic } from './mosaic.js';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Gives an image of the data set, drawn at random. */
export type DrawImage = () => Promise<Labelled>;

/**
 * A training image of `size` from the image given and, for mosaics, three others: mosaic or letterbox, affine map, mixup, colours, mirror
 * (the order of YOLOv8's training).
 */
export async function augment(
  image: Labelled,
  other: DrawImage,
  random: Random,
  size: Size,
  options: Required<DetectionAugmentation>,
  withMosaic: boolean,
): Promise<Labelled> {
  const isMosaic = withMosaic && random.uniform() < options.mosaic;
  let result = isMosaic ? await mosaicPart(image, other, random, size, options) : fitted(image, random, size, options);
  if (isMosaic && random.uniform() < options.mixup) {
    const second = await mosaicPart(await other(), other, random, size, options);
    result = {
      image: blend(result.image, second.image, drawBlend(random)),
      objects: [...result.objects, ...second.objects],
    };
  }
  jitterColours(random, result.image, options.hsv);
  return random.uniform() < options.flip ? flip(result, options.mirroredJoints) : result;
}

async function mosaicPart(
  image: Labelled,
  other: DrawImage,
  random: Random,
  size: Size,
  options: Required<DetectionAugmentation>,
): Promise<Labelled> {
  const canvas = mosaic(random, [image, await other(), await other(), await other()], size);
  const { matrix, factor } = drawAffine(random, canvas.image, size, options);
  return warp(canvas, matrix, { ...size, factor });
}

function fitted(image: Labelled, random: Random, size: Size, options: Required<DetectionAugmentation>): Labelled {
  const fit = fitMatrix(image.image, size);
  const { matrix, factor } = drawAffine(random, size, size, options);
  return warp(image, compose(fit, matrix), { ...size, factor: factor * fit[0] });
}
