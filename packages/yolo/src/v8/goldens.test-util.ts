import {
  decodeSafetensors,
  encodeSafetensors,
  inference,
  loadStateDict,
  selectBackend,
  stateDict,
  summarize,
} from '@convkit/core';
import { type TensorRecord, expectTensor, fillInput, fillModel, goldenBackend, readGolden, relative } from '@convkit/model-tests';
import {
  type Tensor,
  add,
  concat,
  div,
  memory,
  reshape,
  slice,
  split,
  sub,
  tensor4d,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { STRIDES, type YoloV8Output } from './output.js';
import type { YoloV8 } from './yolov8.js';

/** What a golden of YOLOv8 has besides that of a classifier. */
interface Case {
  input_shape: number[];
  output: TensorRecord;
  other_outputs: Record<string, TensorRecord>;
  f32_vs_f64: Record<string, { rel_l2: number }>;
}

/** The tests of a YOLOv8 for detection against the reference: names, shapes, counts, and every output of every case. */
export function describeDetector(name: string, create: () => YoloV8, goldenFile: URL): void {
  describe(name, () => {
    const golden = readGolden(goldenFile);
    beforeAll(() => selectBackend(goldenBackend));

    test('has the names, shapes and order of the reference, and as many parameters', () => {
      const model = create();
      expect([...model.state()].map(([entry, { shape }]) => [entry, [...shape]])).toEqual(Object.entries(golden.param_shapes));
      expect([...model.parameters()].reduce((total, [, { size }]) => total + size, 0)).toBe(golden.num_params);
    });

    test('needs the multiply-adds of the reference', () => {
      const [, , height, width] = golden.input_shape;
      expect(relative(summarize(create(), [height, width]).macs, golden.madds)).toBeLessThan(0.001);
    });

    test('gives the outputs of the reference, for batches and for images that are not square', async () => {
      await withFilled(create, golden, async (model) => {
        for (const { input_shape, output, other_outputs, f32_vs_f64 } of [golden, ...golden.cases] as unknown as Case[]) {
          const named = tidy(() => asReference(model.forward(input(input_shape), inference), input_shape));
          const expected: Record<string, TensorRecord> = { output, ...other_outputs };
          expect(Object.keys(named).sort()).toEqual(Object.keys(expected).sort());
          for (const [key, tensor] of Object.entries(named)) {
            expectTensor((await tensor.data()) as Float32Array, tensor.shape, expected[key], f32_vs_f64[key]);
            tensor.dispose();
          }
        }
      });
    });

    test('judges each image alone in evaluation mode', async () => {
      await withFilled(create, golden, async (model) => {
        const both = tidy(() => model.forward(input([2, 3, 64, 96]), inference).raw.classes);
        const second = tidy(() => model.forward(slice(input([2, 3, 64, 96]), 1), inference).raw.classes);
        const [values, alone] = [await both.data(), await second.data()];
        for (const tensor of [both, second]) tensor.dispose();
        const scale = Math.max(...values.map(Math.abs));
        for (const [i, value] of alone.entries()) {
          expect(Math.abs(value - values[alone.length + i])).toBeLessThanOrEqual(1e-5 * scale);
        }
      });
    });

    test('moves the running statistics as the reference does', async () => {
      await withFilled(create, golden, async (model) => {
        const { input_shape, bn_after } = golden.train!;
        tidy(() => void model.forward(input(input_shape), { training: true }));
        const state = await stateDict(model);
        for (const [layer, expected] of Object.entries(bn_after)) {
          for (const field of ['running_mean', 'running_var'] as const) {
            const values = state.get(`${layer}.${field}`)!.data as Float32Array;
            for (const [i, value] of expected[field].entries()) expect(Math.abs(values[i] - value)).toBeLessThan(1e-4);
          }
          expect(Number(state.get(`${layer}.num_batches_tracked`)!.data[0])).toBe(expected.num_batches_tracked);
        }
      });
    });

    test('is bit-equal after saving and loading', async () => {
      await withFilled(create, golden, async (model) => {
        const saved = await stateDict(model);
        const copy = create();
        try {
          loadStateDict(copy, decodeSafetensors(encodeSafetensors(saved)).tensors);
          const again = await stateDict(copy);
          expect([...again.keys()]).toEqual([...saved.keys()]);
          for (const [entry, { data }] of again) expect(bytes(data).equals(bytes(saved.get(entry)!.data)), entry).toBe(true);
        } finally {
          copy.dispose();
        }
      });
    });
  });
}

const bytes = ({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

const input = ([n, c, h, w]: readonly number[]): Tensor => tensor4d(fillInput([n, c, h, w], { unit: true }), [n, h, w, c]);

/** The outputs by the reference's names and in its layout: channels first, boxes as centre and size. */
export function asReference(output: YoloV8Output, [, , height, width]: readonly number[]): Record<string, Tensor> {
  const { boxes, scores, coefficients, prototypes, keypoints, raw } = output;
  const [upper, lower] = split(boxes, 2, 2) as [Tensor, Tensor];
  const centreAndSize = concat([div(add(upper, lower), 2), sub(lower, upper)], 2);
  const extras = coefficients ?? (keypoints && reshape(keypoints, [boxes.shape[0], boxes.shape[1], -1]));
  const channelsFirst = (x: Tensor): Tensor => transpose(x, x.rank === 3 ? [0, 2, 1] : [0, 3, 1, 2]);
  const levels: Record<string, Tensor> = {};
  let begin = 0;
  for (const [i, stride] of STRIDES.entries()) {
    const [rows, columns] = [height / stride, width / stride];
    const level = slice(concat([raw.distances, raw.classes], 2), [0, begin, 0], [-1, rows * columns, -1]);
    levels[`raw_P${i + 3}`] = channelsFirst(reshape(level, [boxes.shape[0], rows, columns, -1]));
    begin += rows * columns;
  }
  return {
    output: channelsFirst(concat([centreAndSize, scores, ...(extras ? [extras] : [])], 2)),
    ...levels,
    ...(prototypes && { proto: channelsFirst(prototypes) }),
    ...(raw.keypoints && { raw_kpt: channelsFirst(raw.keypoints) }),
  };
}

/** Runs `use` on the model with the golden's weights, and checks that nothing is left in memory. */
async function withFilled(
  create: () => YoloV8,
  golden: ReturnType<typeof readGolden>,
  use: (model: YoloV8) => Promise<void>,
): Promise<void> {
  const before = memory().numTensors;
  const model = create().initialize();
  try {
    fillModel(model, golden.fill_rules);
    await use(model);
  } finally {
    model.dispose();
  }
  expect(memory().numTensors, 'tensors left in memory').toBe(before);
}
