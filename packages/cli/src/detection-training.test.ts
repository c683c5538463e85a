import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeImage } from '@convkit/core/node';
import { syntheticDetection } from '@convkit/datasets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Convkit, type Outcome, convkit, lastJson, linesOf, sha256, temporaryFolder } from './spawn.test-util.js';

const { path: dir, remove } = temporaryFolder();
afterAll(remove);

const at = (...names: string[]): string => join(dir, ...names);

/** A net in YOLOv3's manner with three layers, for two classes. */
const cfg = (classes: number): string => `[net]
width=64
height=64
channels=3
${[8, 16].map((filters) => `[convolutional]\nbatch_normalize=1\nfilters=${filters}\nsize=3\nstride=4\npad=1\nactivation=leaky\n`).join('')}
[convolutional]
filters=${2 * (5 + classes)}
size=1
stride=1
activation=linear
[yolo]
mask=0,1
anchors=14,18, 24,24
classes=${classes}
`;

const tiny = [
  '--data',
  'synthetic',
  '--limit',
  '12',
  '--batch-size',
  '4',
  '--epochs',
  '3',
  '--image-size',
  '64',
  '--backend',
  'wasm',
];
const train = (out: string, ...more: string[]): string[] => ['train', at('net.cfg'), ...tiny, '--out', at(out), ...more];

let whole: Outcome;
beforeAll(async () => {
  writeFileSync(at('net.cfg'), cfg(2));
  whole = await convkit([...train('whole', '--checkpoint-every', '1'), '--json']);
});

test('a run leaves weights, curves of average precision and pictures with boxes', () => {
  expect(whole.stderr).not.toMatch(/error/);
  expect(whole.code).toBe(0);
  const result = lastJson(whole);
  expect(result).toMatchObject({ model: 'net', data: 'synthetic', backend: 'wasm', epochs: 3, steps: 9, stopped: false });
  expect(result.validation).toMatchObject({ ap: expect.any(Number) as number, ap50: expect.any(Number) as number });
  expect(linesOf(at('whole', 'metrics.csv'))).toBe(4);
  expect(readFileSync(at('whole', 'metrics.csv'), 'utf8')).toMatch(/^epoch,steps,learning_rate,train_loss,val_ap,val_ap50/);
  expect(readFileSync(at('whole', 'curves.svg'), 'utf8')).toMatch(/^<svg[^]*AP at IoU 0\.5/);
  expect(readdirSync(at('whole', 'pictures'))).toHaveLength(8);
});

test('the weights of a run give the same figures in eval', async () => {
  const weights = at('whole', 'model.safetensors');
  const args = ['eval', at('net.cfg'), '--weights', weights, '--data', 'synthetic', '--limit', '12', '--size', '64'];
  const scores = lastJson(await convkit([...args, '--backend', 'wasm', '--json']));
  const { ap, ap50 } = lastJson(whole).validation as Record<string, number>;
  expect(scores.ap).toBeCloseTo(ap, 6);
  expect(scores.ap50).toBeCloseTo(ap50, 6);
});

test('a run that was stopped goes on to the same bits', async () => {
  const run = new Convkit(train('stopped', '--checkpoint-every', '1'));
  await run.until(() => existsSync(at('stopped', 'checkpoints', 'epoch-0001')));
  run.process.kill('SIGINT');
  const { code } = await run.outcome;
  expect([0, 130]).toContain(code); // 0 where it was done already
  const resumed = await convkit(['train', '--resume', '--out', at('stopped')]);
  expect(resumed.code).toBe(0);
  expect(sha256(at('stopped', 'model.safetensors'))).toBe(sha256(at('whole', 'model.safetensors')));
});

test('a folder in COCO’s format is trained on from weights for other classes, a fifth held out', async () => {
  const drawn = syntheticDetection({ size: 10, side: 64 });
  mkdirSync(at('photos', 'images'), { recursive: true });
  const annotations: object[] = [];
  for (let i = 0; i < drawn.length; i++) {
    const { image, objects } = await drawn.load(i);
    await writeImage(at('photos', 'images', `${i}.png`), image);
    for (const { class: label, box } of objects) {
      const bbox = [box[0], box[1], box[2] - box[0], box[3] - box[1]];
      annotations.push({
        id: annotations.length + 1,
        image_id: i,
        category_id: 1 + (label % 2),
        bbox,
        area: bbox[2] * bbox[3],
        iscrowd: 0,
      });
    }
  }
  const images = Array.from({ length: 10 }, (_, id) => ({ id, file_name: `${id}.png`, width: 64, height: 64 }));
  const categories = ['round', 'cornered'].map((name, i) => ({ id: i + 1, name }));
  writeFileSync(at('photos', 'instances.json'), JSON.stringify({ images, annotations, categories }));
  const args = ['train', at('net.cfg'), '--data', at('photos'), '--epochs', '1', '--batch-size', '4', '--image-size', '64'];
  const weights = ['--weights', at('whole', 'model.safetensors')];
  const { code, stdout, stderr } = await convkit([...args, ...weights, '--backend', 'wasm', '--out', at('own')]);
  expect(stderr).not.toMatch(/error/);
  expect(stdout).toMatch(/new for these classes: 2\.conv_2\.weight, 2\.conv_2\.bias; all else from/);
  expect(stdout).toMatch(/8 images to train on, 2 held out/);
  expect(code).toBe(0);
  const found = lastJson(await convkit(['anchors', '--data', at('photos'), '--count', '2', '--size', '64', '--json']));
  expect(found).toMatchObject({ boxes: annotations.length, images: 10, size: [64, 64] });
  expect(found.meanIou).toBeGreaterThan(0.5);
});

test('what belongs to the other kind of net is refused', async () => {
  const smoothing = await convkit([...train('no'), '--label-smoothing', '0.1']);
  expect([smoothing.code, smoothing.stderr]).toEqual([
    2,
    expect.stringMatching(/--label-smoothing is for nets that classify images/),
  ]);
  const mixup = await convkit(['train', 'resnet8', '--data', 'synthetic', '--out', at('no'), '--mixup', '0.5']);
  expect([mixup.code, mixup.stderr]).toEqual([2, expect.stringMatching(/--mixup is for nets that find objects/)]);
});
