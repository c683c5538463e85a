import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArgumentError, FormatError, type Image, cocoClasses, fuse, inference, selectBackend } from '@convkit/core';
import { letterboxDarknet, stretch, stretchDarknet } from '@convkit/core/detection';
import { sharedDir } from '@convkit/model-tests';
import { memory, tensor4d } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { DarknetClassifier } from './classifier.js';
import { DarknetDetector } from './detector.js';
import { fromConfig } from './from-config.js';
import { parseConfig } from './parse-config.js';

const tiny = (yolo = 'classes=2', filters = 7): string => `[net]
width=32
height=64
[convolutional]
batch_normalize=1
filters=4
size=3
stride=8
pad=1
activation=leaky
[convolutional]
filters=${filters}
size=1
activation=linear
[yolo]
mask=0
anchors=10,14
${yolo}
`;

const picture: Image = { pixels: Uint8Array.from({ length: 30 * 50 * 3 }, (_, i) => (i * 37) % 256), width: 50, height: 30 };

beforeAll(() => selectBackend('wasm'));

describe('fromConfig', () => {
  test('makes detectors with the size and the classes of the file', () => {
    const factory = fromConfig(tiny(), 'tiny');
    expect(factory.info).toMatchObject({ name: 'tiny', task: 'detect', preprocessing: { size: [64, 32] } });
    const model = factory() as DarknetDetector;
    expect(model).toBeInstanceOf(DarknetDetector);
    expect(model.inputSize).toEqual([64, 32]);
    expect(model.classes).toEqual(['class 0', 'class 1']);
    expect((factory({ classes: ['cat', 'dog'] }) as DarknetDetector).classes).toEqual(['cat', 'dog']);
    expect((factory({ numClasses: 5 }) as DarknetDetector).classes).toHaveLength(5);
    expect((fromConfig(tiny('classes=80', 85), 'coco')() as DarknetDetector).classes).toBe(cocoClasses);
  });

  test('makes classifiers of nets without heads, and gives the logits before the softmax', () => {
    const text =
      '[net]\nwidth=16\nheight=16\n[convolutional]\nfilters=5\nsize=1\nactivation=linear\n[avgpool]\n[softmax]\ntemperature=2\n[cost]';
    const model = fromConfig(text, 'five')({ numClasses: 6 }).initialize() as DarknetClassifier;
    expect(model).toBeInstanceOf(DarknetClassifier);
    const x = tensor4d(new Float32Array(2 * 16 * 16 * 3), [2, 16, 16, 3]);
    const y = model.forward(x, inference);
    expect(y.shape).toEqual([2, 6]);
    expect(model.heads).toEqual(['0']);
    for (const t of [x, y]) t.dispose();
    model.dispose();
  });

  test.each([
    ['[net]\nwidth 32', FormatError, 'odd: line 2, section [net]: missing "="'],
    [tiny('classes=3'), FormatError, 'odd: line 15: layer 2 [yolo] reads 8 channels'],
    [
      tiny().replace('width=32', 'width=36'),
      ArgumentError,
      'odd: The net takes a height and width that are multiples of 8, not 64×36.',
    ],
    ['[net]\nwidth=8\nheight=8\n[maxpool]\nsize=2\nstride=2', FormatError, 'odd: the net has no layer that gives classes.'],
  ])('says what is wrong, after the name of the file (%#)', (text, type, message) => {
    expect(() => fromConfig(text, 'odd')).toThrow(type);
    expect(() => fromConfig(text, 'odd')).toThrow(message);
  });
});

describe('a detector', () => {
  test('takes images in other sizes of input, if its stride divides them, and leaves nothing in memory', async () => {
    const before = memory().numTensors;
    const model = fromConfig(tiny(), 'tiny')().initialize(1) as DarknetDetector;
    const found = await model.detect(picture, { confidence: 0.001 });
    expect(found.length).toBeGreaterThan(0);
    for (const { box, score, label } of found) {
      const [x1, y1, x2, y2] = box;
      expect(x1 >= 0 && y1 >= 0 && x2 <= 50 && y2 <= 30 && x1 <= x2 && y1 <= y2).toBe(true);
      expect(score > 0 && score < 1).toBe(true);
      expect(['class 0', 'class 1']).toContain(label);
    }
    model.inputSize = [40, 48];
    expect((await model.detectAll([picture, picture], { confidence: 0.001, batchSize: 2 })).map((all) => all.length > 0)).toEqual(
      [true, true],
    );
    model.inputSize = [40, 50];
    await expect(model.detect(picture)).rejects.toThrow('multiples of 8, not 40×50');
    model.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test('fits images as asked for', () => {
    class Opened extends DarknetDetector {
      input(image: Image): Float32Array {
        const into = new Float32Array(64 * 32 * 3);
        this.prepare(image, { evaluation: false, into });
        return into;
      }
    }
    const common = {
      numClasses: 2,
      preprocessing: { size: [64, 32] as const, mean: [0, 0, 0] as const, std: [1, 1, 1] as const },
    };
    const places = { letterbox: letterboxDarknet, stretch, darknet: stretchDarknet } as const;
    for (const fit of ['letterbox', 'stretch', 'darknet'] as const) {
      const model = new Opened(parseConfig(tiny()), { ...common, fit });
      expect(model.input(picture)).toEqual(places[fit](picture, [64, 32]).values);
    }
  });

  test('gives the same with its normalisation folded into the convolutions', async () => {
    const model = fromConfig(tiny(), 'tiny')().initialize(1) as DarknetDetector;
    const fast = fuse(model, [64, 32]);
    const x = tensor4d(
      Float32Array.from({ length: 64 * 32 * 3 }, (_, i) => Math.sin(i)),
      [1, 64, 32, 3],
    );
    const [[a], [b]] = [model.forward(x, inference), fast.forward(x, inference)];
    const [own, folded] = [await a.data(), await b.data()];
    own.forEach((value, i) => expect(folded[i]).toBeCloseTo(value, 4));
    for (const part of [x, a, b, fast, model]) part.dispose();
  });
});

describe.runIf(sharedDir)('published nets on photos', () => {
  const data = join(sharedDir ?? '', 'data');
  const load = async (name: string, file = name): Promise<DarknetDetector> => {
    const factory = fromConfig(readFileSync(join(data, `weights/darknet/${name}.cfg`), 'utf8'), name);
    return (await factory.pretrained(join(data, `weights/darknet/${file}.weights`))) as unknown as DarknetDetector;
  };
  const seen = async (model: DarknetDetector, image: string): Promise<string[]> =>
    (await model.detect(join(data, 'images', image), { confidence: 0.45 })).map(({ label }) => label).sort();

  test.each([
    ['MobileNetV2-YOLOv3-Nano-coco', 'MobileNetV2-YOLOv3-Nano-coco', ['bicycle', 'car', 'car', 'dog']],
    ['yolo-fastest-1.1', 'yolo-fastest-1.1', ['bicycle', 'car', 'cat', 'dog']],
    ['yolo-lite-coco-trial6', 'yolo-lite-coco-trial6_653550', ['bicycle', 'car', 'car', 'dog']],
  ])('%s finds the dog, the bicycle and the car', async (name, file, expected) => {
    const model = await load(name, file);
    expect(await seen(model, 'darknet_dog.jpg')).toEqual(expected);
    model.dispose();
  });

  test('a box is where the object is', async () => {
    const model = await load('MobileNetV2-YOLOv3-Nano-coco');
    const found = await model.detect(join(data, 'images/bus.jpg'));
    const bus = found.find(({ label }) => label === 'bus')!;
    [122, 191, 780, 793].forEach((edge, i) => expect(Math.abs(bus.box[i] - edge)).toBeLessThan(30));
    expect(bus.score).toBeGreaterThan(0.9);
    expect(found.filter(({ label }) => label === 'person').length).toBeGreaterThanOrEqual(3);
    model.dispose();
  });
});
