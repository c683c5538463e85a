import { ArgumentError } from '@convkit/core';
import { floatList, intList, modelNode } from './model-node.js';
import type { Model } from './proto/model.js';

/** Which boxes remain. */
export interface NmsLimits {
  /** Least score. Default 0.25. */
  readonly confidence: number;
  /** Boxes of one class that overlap a better one by more are dropped. Default 0.7. */
  readonly iou: number;
  /** Most detections of a batch. Default 300. */
  readonly maxDetections: number;
}

/**
 * A detector's file with non-maximum suppression: a further output `detections` [found, 7 + extras], best first, whose columns are
 * the image's place in the batch, x1, y1, x2, y2, score, class, then the mask's coefficients or keypoints, if the net has them. Each box
 * counts for its best class only. At most `maxDetections` of a class in an image and of the batch.
 */
export function withSuppression(model: Model, { confidence = 0.25, iou = 0.7, maxDetections = 300 }: Partial<NmsLimits>): Model {
  const boxes = model.outputs.find(({ name }) => name === 'boxes');
  const scores = model.outputs.find(({ name }) => name === 'scores');
  if (!boxes || !scores) throw new ArgumentError('The net has no outputs `boxes` and `scores` to suppress.');
  const extras = model.outputs.find(({ name }) => name === 'extras');
  const node = modelNode;
  const nodes = [
    ...model.nodes,
    node('ReduceMax', ['scores'], ['nms.best'], { axes: [-1], keepdims: 1 }),
    node('Equal', ['scores', 'nms.best'], ['nms.isBest']),
    node('Where', ['nms.isBest', 'scores', 'nms.none'], ['nms.own']),
    node('Transpose', ['nms.own'], ['nms.byClass'], { perm: [0, 2, 1] }),
    node('NonMaxSuppression', ['boxes', 'nms.byClass', 'nms.limit', 'nms.iou', 'nms.confidence'], ['nms.kept']),
    node('Gather', ['nms.kept', 'nms.imageAndBox'], ['nms.places'], { axis: 1 }),
    node('GatherND', ['nms.byClass', 'nms.kept'], ['nms.scores']),
    node('Shape', ['nms.scores'], ['nms.found']),
    node('Min', ['nms.found', 'nms.limit'], ['nms.count']),
    node('TopK', ['nms.scores', 'nms.count'], ['nms.topScores', 'nms.order']),
    node('Gather', ['nms.places', 'nms.order'], ['nms.topPlaces'], { axis: 0 }),
    node('Gather', ['nms.kept', 'nms.order'], ['nms.topKept'], { axis: 0 }),
    node('GatherND', ['boxes', 'nms.topPlaces'], ['nms.topBoxes']),
    node('Cast', ['nms.topKept'], ['nms.numbers'], { to: 1 }),
    node('Split', ['nms.numbers'], ['nms.image', 'nms.class', 'nms.box'], { axis: 1 }),
    node('Unsqueeze', ['nms.topScores', 'nms.last'], ['nms.score']),
    ...(extras ? [node('GatherND', ['extras', 'nms.topPlaces'], ['nms.extras'])] : []),
    node('Concat', ['nms.image', 'nms.topBoxes', 'nms.score', 'nms.class', ...(extras ? ['nms.extras'] : [])], ['detections'], {
      axis: 1,
    }),
  ];
  const width = 7 + (extras ? Number(extras.dims[2]) : 0);
  return {
    ...model,
    nodes,
    initializers: [
      ...model.initializers,
      intList('nms.limit', [maxDetections]),
      floatList('nms.iou', [iou]),
      floatList('nms.confidence', [confidence]),
      floatList('nms.none', [0], []),
      intList('nms.imageAndBox', [0, 2]),
      intList('nms.last', [1]),
    ],
    outputs: [{ name: 'detections', dtype: 'float32', dims: ['found', width] }, ...model.outputs],
  };
}
