import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeImage } from '@convkit/core/node';
import { syntheticShapes } from '@convkit/datasets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Convkit, type Outcome, convkit, lastJson, linesOf, sha256, temporaryFolder } from './spawn.test-util.js';

const { path: dir, remove } = temporaryFolder();
afterAll(remove);

const at = (...names: string[]): string => join(dir, ...names);
const tiny = ['--data', 'synthetic', '--limit', '48', '--batch-size', '16', '--epochs', '2', '--backend', 'wasm'];
const train = (out: string, ...more: string[]): string[] => [
  'train',
  'resnet8',
  ...tiny,
  '--out',
  at(out),
  '--checkpoint-every',
  '1',
  ...more,
];

/** A run that nothing interrupts: what the others are compared with. */
let whole: Outcome;
beforeAll(async () => {
  whole = await convkit([...train('whole'), '--json']);
});

test('a run leaves weights, logs, pictures and checkpoints, and describes itself as JSON', () => {
  expect(whole.stderr).not.toMatch(/error/);
  expect(whole.code).toBe(0);
  const result = lastJson(whole);
  expect(result).toMatchObject({ model: 'resnet8', data: 'synthetic', backend: 'wasm', epochs: 2, steps: 6, stopped: false });
  expect(result.validation).toMatchObject({ loss: expect.any(Number) as number, top1: expect.any(Number) as number });
  expect(existsSync(join(result.checkpoint as string, 'model.safetensors'))).toBe(true);
  expect(readdirSync(at('whole'))).toEqual(
    expect.arrayContaining([
      'config.json',
      'metrics.csv',
      'steps.jsonl',
      'tensorboard',
      'checkpoints',
      'model.safetensors',
      'curves.svg',
      'confusion.svg',
    ]),
  );
  expect(linesOf(at('whole', 'metrics.csv'))).toBe(3);
  expect(linesOf(at('whole', 'steps.jsonl'))).toBe(6);
  expect(readFileSync(at('whole', 'curves.svg'), 'utf8')).toMatch(/^<svg[^]*top-1 accuracy[^]*validation/);
  expect(readFileSync(at('whole', 'confusion.svg'), 'utf8')).toMatch(/^<svg[^]*hourglass/);
});

test('the weights of a run give the same figures in eval', async () => {
  const args = [
    'eval',
    'resnet8',
    '--weights',
    at('whole', 'model.safetensors'),
    '--data',
    'synthetic',
    '--limit',
    '48',
    '--backend',
    'wasm',
  ];
  const outcome = await convkit([...args, '--json', '--out', at('report')]);
  expect(outcome.stderr).not.toMatch(/error/);
  const scores = lastJson(outcome);
  const validation = lastJson(whole).validation as Record<string, number>;
  expect(scores).toMatchObject({
    model: 'resnet8',
    data: 'synthetic',
    backend: 'wasm',
    images: 48,
    top1: validation.top1,
    top5: validation.top5,
  });
  expect(scores.loss).toBeCloseTo(validation.loss, 5);
  expect(scores.imagesPerSecond).toBeGreaterThan(0);
  expect(scores.normalisation).toMatchObject({ source: "the weight file's metadata" });
  expect(readdirSync(at('report')).sort()).toEqual(['confusion.svg', 'eval.json']);
  const given = await convkit([...args, '--mean', '0,0,0', '--std', '1,1,1']);
  expect(given.stdout).toMatch(/--mean and --std \(mean 0, 0, 0; std 1, 1, 1\)/);
});

test('classify names the classes of pictures and of folders of pictures', async () => {
  const shapes = syntheticShapes({ size: 3, split: 'test' });
  mkdirSync(at('pictures', 'more'), { recursive: true });
  await writeImage(at('one.png'), shapes.image(0));
  await writeImage(at('pictures', 'two.png'), shapes.image(1));
  await writeImage(at('pictures', 'more', 'three.jpg'), shapes.image(2));
  const args = [
    'classify',
    'resnet8',
    at('one.png'),
    at('pictures'),
    '--weights',
    at('whole', 'model.safetensors'),
    '--topk',
    '3',
    '--backend',
    'wasm',
  ];
  const { images } = lastJson(await convkit([...args, '--json'])) as {
    images: { path: string; predictions: { index: number; label: string; score: number }[] }[];
  };
  expect(images.map(({ path }) => path)).toEqual([at('one.png'), at('pictures', 'more', 'three.jpg'), at('pictures', 'two.png')]);
  for (const { predictions } of images) {
    expect(predictions).toHaveLength(3);
    for (const { index, label, score } of predictions) {
      expect(label).toBe(shapes.classes[index]);
      expect(score).toBeGreaterThan(0);
    }
    expect(predictions[0].score).toBeGreaterThanOrEqual(predictions[1].score);
  }
  expect((await convkit(args)).stdout).toMatch(/one\.png +\w+ +\d+\.\d\d %/);
  expect((await convkit([...args, '--topk', '5'])).stdout).toMatch(/one\.png\n {2}1 {2}\w+ +\d+\.\d\d %/);
});

/** Goes on with a run and compares everything that must be equal. */
async function resumesToTheSame(out: string): Promise<void> {
  const resumed = await convkit(['train', '--resume', '--out', at(out), '--json']);
  expect(resumed.stderr).not.toMatch(/error/);
  expect(resumed.code).toBe(0);
  expect(sha256(at(out, 'model.safetensors'))).toBe(sha256(at('whole', 'model.safetensors')));
  expect(losses(out)).toEqual(losses('whole'));
  expect(linesOf(at(out, 'metrics.csv'))).toBe(3);
}

function losses(out: string): number[] {
  const lines = readFileSync(at(out, 'steps.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => (JSON.parse(line) as { loss: number }).loss);
}

test('a run killed in the midst of an epoch resumes to the same weights, bit for bit', async () => {
  const run = new Convkit(train('killed'));
  await run.until(() => linesOf(at('killed', 'steps.jsonl')) >= 5);
  run.process.kill('SIGKILL');
  expect((await run.outcome).signal).toBe('SIGKILL');
  await resumesToTheSame('killed');
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s saves a checkpoint, says how to go on, and exits with %i; resumed, the weights are the same',
  async (signal, code) => {
    const run = new Convkit(train(signal, '--checkpoint-every', '100'));
    await run.until(() => linesOf(at(signal, 'steps.jsonl')) >= 2);
    run.process.kill(signal);
    const outcome = await run.outcome;
    expect(outcome.code).toBe(code);
    expect(outcome.stdout).toContain(`convkit train --resume --out ${at(signal)}`);
    expect(existsSync(at(signal, 'model.safetensors'))).toBe(false);
    await resumesToTheSame(signal);
  },
);

test('a damaged checkpoint is reported once, and the one before it is used', async () => {
  await convkit(train('damaged'));
  const [newest] = readdirSync(at('damaged', 'checkpoints'))
    .filter((name) => name.startsWith('epoch-'))
    .sort()
    .reverse();
  truncateSync(at('damaged', 'checkpoints', newest, 'model.safetensors'), 1000);
  const resumed = await convkit(['train', '--resume', '--out', at('damaged')]);
  expect(resumed.stderr.match(/^warning: .*is damaged/gm)).toHaveLength(1);
  expect(sha256(at('damaged', 'model.safetensors'))).toBe(sha256(at('whole', 'model.safetensors')));
});

test('a finished run, resumed, does nothing more', async () => {
  const before = sha256(at('whole', 'model.safetensors'));
  const outcome = await convkit(['train', '--resume', '--out', at('whole'), '--json']);
  expect(lastJson(outcome)).toMatchObject({ epochs: 2, steps: 6 });
  expect(sha256(at('whole', 'model.safetensors'))).toBe(before);
});

test('a resume with other settings is refused, by name', async () => {
  const other = await convkit(['train', '--resume', '--out', at('whole'), '--epochs', '9', '--lr', '1']);
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/^error: .*--epochs 9 \(the run has 2\), --lr 1 \(the run has 0.1\).*\n$/);
  const model = await convkit(['train', 'resnet20', '--resume', '--out', at('whole')]);
  expect(model.stderr).toMatch(/the model resnet20 \(the run has resnet8\)/);
});

test('a folder that is not empty is not written to', async () => {
  const { code, stderr } = await convkit(train('whole'));
  expect(code).toBe(2);
  expect(stderr).toMatch(/is not empty: go on with that run by --resume, or give another --out/);
});

test('weights for other classes start a new run, with a last layer of its own', async () => {
  const folder = at('two-classes');
  const shapes = syntheticShapes({ size: 40 });
  for (let i = 0; i < shapes.length; i++) {
    if (shapes.label(i) > 1) continue;
    const target = join(folder, shapes.classes[shapes.label(i)]);
    mkdirSync(target, { recursive: true });
    await writeImage(join(target, `${i}.png`), shapes.image(i));
  }
  const args = [
    '--data',
    folder,
    '--epochs',
    '1',
    '--batch-size',
    '4',
    '--weights',
    at('whole', 'model.safetensors'),
    '--backend',
    'wasm',
  ];
  const outcome = await convkit(['train', 'resnet8', ...args, '--out', at('tuned'), '--json']);
  expect(outcome.stderr).toMatch(/new for these classes: linear.weight, linear.bias/);
  expect(lastJson(outcome)).toMatchObject({ epochs: 1 });
  const best = await convkit([
    'eval',
    'resnet8',
    '--weights',
    at('tuned', 'model.safetensors'),
    '--data',
    folder,
    '--backend',
    'wasm',
    '--json',
  ]);
  expect(lastJson(best)).toMatchObject({ images: expect.any(Number) as number });
  const mismatch = await convkit([
    'eval',
    'resnet8',
    '--weights',
    at('tuned', 'model.safetensors'),
    '--data',
    'synthetic',
    '--backend',
    'wasm',
  ]);
  expect(mismatch.stderr).toMatch(/knows 2 classes, but synthetic has 10/);
});

const classify = (weights: string, image: string): string[] => [
  'classify',
  'resnet8',
  image,
  '--weights',
  weights,
  '--backend',
  'wasm',
];

test('bad weights and pictures are one clear line and exit code 1', async () => {
  await writeImage(at('good.png'), syntheticShapes({ size: 1 }).image(0));
  const weights = at('whole', 'model.safetensors');
  copyFileSync(weights, at('cut.safetensors'));
  truncateSync(at('cut.safetensors'), 100_000);
  writeFileSync(at('text.safetensors'), 'not weights');
  writeFileSync(at('broken.png'), readFileSync(at('good.png')).subarray(0, 60));
  const cases: [args: string[], message: RegExp][] = [
    [classify(at('none.safetensors'), at('good.png')), /none\.safetensors: it does not exist/],
    [classify(at('cut.safetensors'), at('good.png')), /cut\.safetensors/],
    [classify(at('text.safetensors'), at('good.png')), /text\.safetensors/],
    [classify(weights, at('none.png')), /none\.png/],
    [classify(weights, at('broken.png')), /broken\.png/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await convkit([...args, '--json']);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^error: .*\n$/);
    expect(code).toBe(1);
    expect(stdout).toBe('');
  }
});

test("another model's weights are refused", async () => {
  const weights = at('whole', 'model.safetensors');
  const named = await convkit([
    'eval',
    'resnet20',
    '--weights',
    weights,
    '--data',
    'synthetic',
    '--limit',
    '10',
    '--backend',
    'wasm',
  ]);
  expect(named.stderr).toMatch(/^error: .*holds weights of resnet8, not of resnet20\n$/);
  const checkpoint = join(lastJson(whole).checkpoint as string, 'model.safetensors');
  const unnamed = await convkit([
    'eval',
    'resnet20',
    '--weights',
    checkpoint,
    '--data',
    'synthetic',
    '--limit',
    '10',
    '--backend',
    'wasm',
  ]);
  expect(unnamed.code).toBe(1);
  expect(unnamed.stderr).toMatch(/^error: .*does not fit resnet20: it lacks: layer1\.1\.conv1\.weight.*\n$/);
});
