import { type Module, fuse, inference, loadBackbone, loadStateDict, selectBackend, stateDict, unfreeze } from '@convkit/core';
import { fillInput, fillModel, goldenBackend } from '@convkit/model-tests';
import { type Tensor, type TensorContainer, dispose, memory, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { Dfl, decodeBoxes, decodeKeypoints } from './decode.js';
import { type YoloV8Output, anchorPoints } from './output.js';
import { yolov8n, yolov8nPose, yolov8nSeg, yolov8s } from './variants.js';

beforeAll(() => selectBackend(goldenBackend));

const read = async (model: Module<unknown>, name: string): Promise<Float32Array> =>
  (await stateDict(model)).get(name)!.data as Float32Array;

const run = (model: Module<YoloV8Output>, x: Tensor): YoloV8Output =>
  tidy(() => model.forward(x, inference) as unknown as TensorContainer) as unknown as YoloV8Output;

const bytes = (values: unknown): Buffer => Buffer.from((values as Float32Array).buffer);

test('anchor points are the centres of the cells of each level, row by row, finest first', () => {
  const { count, points, strides } = anchorPoints(64, 96);
  expect(count).toBe(8 * 12 + 4 * 6 + 2 * 3);
  expect([...points.subarray(0, 4)]).toEqual([0.5, 0.5, 1.5, 0.5]);
  expect([...points.subarray(2 * 12, 2 * 12 + 2)]).toEqual([0.5, 1.5]);
  expect([...points.subarray(-2)]).toEqual([2.5, 1.5]);
  expect([strides[0], strides[95], strides[96], strides.at(-1)]).toEqual([8, 8, 16, 32]);
});

test('a distribution over distances becomes its mean, and nothing trains its weights', async () => {
  const before = memory().numTensors;
  const dfl = new Dfl().initialize();
  expect([...(await read(dfl, 'conv.weight'))]).toEqual(Array.from({ length: 16 }, (_, i) => i));
  unfreeze(dfl);
  expect(dfl.conv.weight.trainable).toBe(false);
  const logits = new Float32Array(64);
  logits[3] = 50; // the left side is 3 away
  logits.fill(0, 16, 32); // the upper side anywhere
  logits[32] = logits[33] = 50; // the right side 0 or 1
  logits[63] = 50; // the lower side 15
  const distances = tidy(() => dfl.forward(tensor3d(logits, [1, 1, 64]), inference));
  expect([...(await distances.data())].map((value) => Number(value.toFixed(4)))).toEqual([3, 7.5, 0.5, 15]);
  distances.dispose();
  dfl.dispose();
  expect(memory().numTensors).toBe(before);
});

test('boxes reach from the anchor point to each side, keypoints lie around the corner of the cell', async () => {
  const { count } = anchorPoints(32, 32);
  const boxes = tidy(() => decodeBoxes(tensor3d([Array.from({ length: count }, () => [1, 2, 3, 4])]), [32, 32]));
  const corners = await boxes.array();
  expect(corners[0][0]).toEqual([-4, -12, 28, 36]); // around (4, 4), eight pixels a unit
  expect(corners[0][count - 1]).toEqual([-16, -48, 112, 144]); // around (16, 16), 32 pixels a unit
  const keypoints = tidy(() => decodeKeypoints(tensor3d([Array.from({ length: count }, () => [0.5, 1, 0])]), [32, 32]));
  expect((await keypoints.array())[0][1][0]).toEqual([16, 16, 0.5]); // the corner (8, 0), and 2 · (0.5, 1) cells
  boxes.dispose();
  keypoints.dispose();
});

test('starting values are the published ones: five objects an image, boxes of one distance', async () => {
  const model = yolov8n({ numClasses: 20 }).initialize(3);
  for (const [level, stride] of [8, 16, 32].entries()) {
    const classes = await read(model, `model.22.cv3.${level}.2.bias`);
    expect(classes.length).toBe(20);
    for (const value of classes) expect(value).toBeCloseTo(Math.log(5 / 20 / (640 / stride) ** 2), 5);
    expect(new Set(await read(model, `model.22.cv2.${level}.2.bias`))).toEqual(new Set([1]));
  }
  model.dispose();
});

test('images whose sides are no multiples of 32 are refused', () => {
  const model = yolov8n().initialize();
  for (const shape of [
    [1, 48, 64, 3],
    [1, 64, 64, 4],
  ] as [number, number, number, number][]) {
    const x = tensor4d(new Float32Array(shape.reduce((a, b) => a * b)), shape);
    expect(() => run(model, x)).toThrow(
      `YOLOv8: expected images [N, H, W, 3] with H and W multiples of 32, found [${shape.join()}].`,
    );
    x.dispose();
  }
  model.dispose();
});

test.each([
  ['yolov8n', yolov8n],
  ['yolov8n-seg', yolov8nSeg],
  ['yolov8n-pose', yolov8nPose],
] as const)('%s fused gives the same boxes, scores and extras', async (_, create) => {
  const before = memory().numTensors;
  const model = create();
  fillModel(model.initialize(), [['dfl', 'keep']]);
  const fused = fuse(model, [64, 64]);
  const normalisations = [...model.state()].filter(([name]) => name.endsWith('running_mean')).length;
  const x = tensor4d(fillInput([1, 3, 64, 96], { unit: true }), [1, 64, 96, 3]);
  const [plain, folded] = [run(model, x), run(fused, x)];
  for (const key of ['boxes', 'scores', 'coefficients', 'prototypes', 'keypoints'] as const) {
    if (!plain[key]) continue;
    const [expected, actual] = [await plain[key].data(), await folded[key]!.data()];
    const scale = Math.hypot(...expected);
    expect(Math.hypot(...actual.map((value, i) => value - expected[i])) / scale, key).toBeLessThan(1e-5);
  }
  dispose([plain, folded] as unknown as TensorContainer);
  const weights = [...model.state()].filter(([, { kind }]) => kind !== 'counter').length;
  expect(memory().numTensors - before).toBe(weights + 2 * normalisations + 1);
  for (const used of [x, fused, model]) used.dispose();
  expect(memory().numTensors).toBe(before);
});

test('names of tinygrad and candle load as they are', async () => {
  const model = yolov8n();
  fillModel(model.initialize(), [['dfl', 'keep']]);
  const published = await stateDict(model);
  const layers = [
    'net.b1.0',
    'net.b1.1',
    'net.b2.0',
    'net.b2.1',
    'net.b2.2',
    'net.b3.0',
    'net.b3.1',
    'net.b4.0',
    'net.b4.1',
    'net.b5.0',
  ];
  const rest = { 12: 'fpn.n1', 15: 'fpn.n2', 16: 'fpn.n3', 18: 'fpn.n4', 19: 'fpn.n5', 21: 'fpn.n6', 22: 'head' };
  const theirs = (name: string): string =>
    name.replace(/^model\.(\d+)/, (_, index) => layers[Number(index)] ?? rest[index as '12']).replace('.m.', '.bottleneck.');
  const renamed = new Map([...published].map(([name, tensor]) => [theirs(name), tensor]));
  expect([...renamed.keys()]).toContain('net.b2.2.bottleneck.1.cv2.bn.running_var');
  expect([...renamed.keys()]).toContain('head.dfl.conv.weight');
  const copy = yolov8n();
  expect(loadStateDict(copy, renamed).loaded).toEqual([...published.keys()]);
  for (const [name, { data }] of await stateDict(copy))
    expect(bytes(data).equals(bytes(published.get(name)!.data)), name).toBe(true);
  copy.dispose();
  model.dispose();
});

test('for other classes the class branches are drawn anew, and nothing else', async () => {
  const before = memory().numTensors;
  const [model, own] = [yolov8s().initialize(1), yolov8s({ numClasses: 5 }).initialize(2)];
  const published = await stateDict(model);
  const { fresh } = loadBackbone(own, published, { seed: 7 });
  expect(fresh.every((name) => name.startsWith('model.22.cv3.'))).toBe(true);
  const replaced = model.replaceHead(5, { classes: ['a', 'b', 'c', 'd', 'e'], seed: 7 });
  expect(replaced.classes).toEqual(['a', 'b', 'c', 'd', 'e']);
  const [a, b] = [await stateDict(own), await stateDict(replaced)];
  expect([...a.keys()]).toEqual([...b.keys()]);
  for (const [name, { data }] of a) expect(bytes(data).equals(bytes(b.get(name)!.data)), name).toBe(true);
  expect(a.get('model.22.cv3.0.2.bias')?.shape).toEqual([5]);
  expect(() => replaced.replaceHead(2, { classes: ['a'] })).toThrow('Expected a name for each of 2 classes, found 1.');
  model.dispose();
  own.dispose();
  expect(memory().numTensors).toBe(before);
});
