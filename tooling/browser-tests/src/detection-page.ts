// What the page of the detection test runs: a detector without weights, from the forms of picture that only browsers have.
import { selectBackend } from '@convkit/core';
import { type Detection, Detector, drawDetections } from '@convkit/core/detection';
import { type Tensor, mean, reshape, tensor3d, tile } from '@tensorflow/tfjs-core';

/** Finds one box, the left half of its input, with the mean brightness as its score. */
class LeftHalf extends Detector<Tensor> {
  readonly heads = [];

  forward(x: Tensor): Tensor {
    return mean(x, [1, 2, 3]);
  }

  protected decode(brightness: Tensor) {
    const [height, width] = this.inputSize;
    const count = brightness.size;
    return {
      boxes: tile(tensor3d([0, 0, width / 2, height], [1, 1, 4]), [count, 1, 1]),
      scores: reshape(brightness, [count, 1, 1]),
    };
  }
}

/** A picture of 40×20 in one colour. */
function picture(): OffscreenCanvas {
  const canvas = new OffscreenCanvas(40, 20);
  const context = canvas.getContext('2d')!;
  context.fillStyle = 'rgb(255, 255, 255)';
  context.fillRect(0, 0, 40, 20);
  return canvas;
}

export interface DetectionPageResult {
  readonly found: Readonly<Record<string, Detection[]>>;
  /** Of the drawing, where the box's edge is. */
  readonly edge: number[];
}

async function run(): Promise<DetectionPageResult> {
  await selectBackend('cpu');
  const model = new LeftHalf({
    numClasses: 1,
    classes: ['half'],
    preprocessing: { size: [32, 64], mean: [0, 0, 0], std: [1, 1, 1] },
  });
  const canvas = picture();
  const context = canvas.getContext('2d')!;
  const found = {
    canvas: await model.detect(canvas),
    bitmap: await model.detect(await createImageBitmap(canvas)),
    data: await model.detect(context.getImageData(0, 0, 40, 20)),
    bytes: await model.detect(new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())),
  };
  drawDetections(context, found.canvas, canvas);
  return { found, edge: [...context.getImageData(20, 15, 1, 1).data] };
}

Object.assign(window, { convkit: { run } });
