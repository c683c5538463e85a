import type { Image, Random } from '@convkit/core';
import { resize } from '@convkit/core';
import type { GroundTruth } from '@convkit/core/detection';
import { GREY } from './affine.js';
import { type Labelled, moveObjects } from './labelled.js';

/**
 * Four images around a random point of a canvas of twice the net's input, each scaled so that its longer side is that of the input,
 * and cut off at the canvas (Bochkovskiy et al. 2020, arXiv:2004.10934).
 */
export function mosaic(
  random: Random,
  parts: readonly Labelled[],
  { width, height }: { width: number; height: number },
): Labelled {
  const canvas: Image = { pixels: new Uint8Array(width * height * 12).fill(GREY), width: 2 * width, height: 2 * height };
  const centreX = Math.round(random.uniform(0.5, 1.5) * width);
  const centreY = Math.round(random.uniform(0.5, 1.5) * height);
  const objects: GroundTruth[] = [];
  for (const [i, { image, objects: own }] of parts.entries()) {
    const scale = Math.min(width / image.width, height / image.height);
    const w = Math.max(1, Math.round(image.width * scale));
    const h = Math.max(1, Math.round(image.height * scale));
    const left = i % 2 === 0 ? centreX - w : centreX;
    const top = i < 2 ? centreY - h : centreY;
    paste(canvas, w === image.width && h === image.height ? image : resize(image, [w, h]), left, top);
    objects.push(...own.map((object) => place(object, w / image.width, h / image.height, left, top)));
  }
  return { image: canvas, objects: moveObjects(objects, (x, y) => [x, y], canvas) };
}

function paste(canvas: Image, part: Image, left: number, top: number): void {
  const from = Math.max(0, -left);
  const to = Math.min(part.width, canvas.width - left);
  for (let y = Math.max(0, -top); y < Math.min(part.height, canvas.height - top) && from < to; y++) {
    const row = part.pixels.subarray((y * part.width + from) * 3, (y * part.width + to) * 3);
    canvas.pixels.set(row, ((y + top) * canvas.width + from + left) * 3);
  }
}

/** Scales and shifts an object. */
function place(object: GroundTruth, scaleX: number, scaleY: number, left: number, top: number): GroundTruth {
  const { box, segmentation, keypoints } = object;
  const at = (value: number, i: number): number => (i % 2 === 0 ? value * scaleX + left : value * scaleY + top);
  return {
    class: object.class,
    box: box.map(at) as unknown as GroundTruth['box'],
    ...(segmentation && !('counts' in segmentation) && { segmentation: segmentation.map((outline) => outline.map(at)) }),
    ...(keypoints && { keypoints: keypoints.map(({ x, y, visibility }) => ({ x: at(x, 0), y: at(y, 1), visibility })) }),
  };
}
