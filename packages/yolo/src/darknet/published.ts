import type { KnownDataset, Preprocessing, PublishedWeights, WeightsTable } from '@convkit/core';

// Published weights: data only. Darknet's files have no checksum from their authors; their length is checked layer by layer.

const redmon = 'https://pjreddie.com/media/files/';
const bochkovskiy = 'https://github.com/AlexeyAB/darknet/releases/download/';

/** The authors' own files. */
const authors: Readonly<Record<string, string>> = {
  yolov2: `${redmon}yolov2.weights`,
  'yolov2-voc': `${redmon}yolov2-voc.weights`,
  'yolov2-tiny': `${redmon}yolov2-tiny.weights`,
  'yolov2-tiny-voc': `${redmon}yolov2-tiny-voc.weights`,
  yolov3: `${redmon}yolov3.weights`,
  'yolov3-spp': `${redmon}yolov3-spp.weights`,
  'yolov3-tiny': `${redmon}yolov3-tiny.weights`,
  yolov4: `${bochkovskiy}darknet_yolo_v3_optimal/yolov4.weights`,
  'yolov4-csp': `${bochkovskiy}darknet_yolo_v4_pre/yolov4-csp.weights`,
  'yolov4x-mish': `${bochkovskiy}darknet_yolo_v4_pre/yolov4x-mish.weights`,
  'yolov4-tiny': `${bochkovskiy}darknet_yolo_v4_pre/yolov4-tiny.weights`,
};

interface About {
  readonly dataset: Extract<KnownDataset, 'coco' | 'voc'>;
  readonly preprocessing: Preprocessing;
}

/** Where the published weights of a variant are: `darknet`, its authors' file, and `candle`, the one that candle's example loads. */
export function weightsOf(name: string, { dataset: classes, preprocessing }: About): { weights?: WeightsTable } {
  const url = authors[name];
  if (url === undefined) return {};
  const darknet: PublishedWeights = { classes, preprocessing, location: { url } };
  if (name !== 'yolov3') return { weights: { darknet } };
  return {
    weights: {
      darknet,
      candle: { classes, preprocessing, location: { repo: 'lmz/candle-yolo-v3', file: 'yolo-v3.safetensors' } },
    },
  };
}
