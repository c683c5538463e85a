import { expect, test } from 'vitest';
import { convkit, lastJson } from './spawn.test-util.js';

test.each(['models', 'summary', 'train', 'eval', 'classify', 'detect', 'doctor'])(
  'the help of %s teaches by examples',
  async (command) => {
    const { code, stdout } = await convkit([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: convkit ${command}`);
    expect(stdout).toContain(`$ convkit ${command}`);
    for (const option of ['--json', '--seed', '--backend']) expect(stdout).toContain(option);
  },
);

const wrongUsage: [title: string, args: string[], message: RegExp][] = [
  ['an unknown command', ['trian'], /unknown command 'trian'.*train/],
  ['an unknown option', ['train', 'resnet8', '--epoch', '3'], /unknown option '--epoch'.*--epochs/],
  [
    'a number that is none',
    ['train', 'resnet8', '--epochs', 'x'],
    /--epochs <n>' argument 'x' is invalid. Expected a whole number/,
  ],
  ['a value out of range', ['train', 'resnet8', '--label-smoothing', '2'], /Expected a number in 0 … 1/],
  ['an unknown optimizer', ['train', 'resnet8', '--optimizer', 'lion'], /Allowed choices are sgd, adam, adamw, rmsprop/],
  [
    'a mean that is not three numbers',
    ['eval', 'resnet8', '--weights', 'w', '--data', 'synthetic', '--mean', '1,2'],
    /three numbers in 0 … 1/,
  ],
  ['a missing option', ['eval', 'resnet8', '--data', 'synthetic'], /required option '--weights <source>' not specified/],
  ['a missing argument', ['classify', 'resnet8', '--weights', 'w'], /missing required argument 'images'/],
  ['no model', ['train', '--data', 'synthetic'], /which model/],
  ['no data', ['train', 'resnet8'], /--data is missing/],
  ['data that does not exist', ['train', 'resnet8', '--data', 'cifar'], /--data cifar: no such folder.*did you mean cifar10/],
  ['an unknown model', ['summary', 'resnet21'], /unknown model 'resnet21': did you mean .*resnet20/],
  ['an unknown backend', ['summary', 'resnet8', '--backend', 'wsam'], /unknown backend 'wsam'.*did you mean wasm/],
  [
    'a setting without the one that it belongs to',
    ['train', 'resnet8', '--data', 'synthetic', '--milestones', '1,2'],
    /--milestones needs --schedule multistep/,
  ],
  ['a resume without a folder', ['train', '--resume'], /--resume needs the folder of the run/],
  ['a resume of nothing', ['train', '--resume', '--out', 'no-such-run'], /no run in no-such-run/],
];

test.each(wrongUsage)('%s is wrong usage: exit code 2, one line that says what to do', async (_, args, message) => {
  const { code, stdout, stderr } = await convkit(args);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^error: .*\n$/);
  expect(code).toBe(2);
  expect(stdout).toBe('');
});

test('without a command the help is shown, and the exit code is 2', async () => {
  const { code, stderr } = await convkit([]);
  expect(code).toBe(2);
  expect(stderr).toContain('Usage: convkit');
});

test('a backend that cannot start is a failure that gives the reason', async () => {
  const { code, stderr } = await convkit(['summary', 'resnet8', '--backend', 'cuda']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: The cuda backend cannot be used: .*\n$/);
});

test('models lists every variant of the installed packages', async () => {
  const outcome = await convkit(['models', '--json']);
  expect(outcome.code).toBe(0);
  const { models } = lastJson(outcome) as { models: Record<string, unknown>[] };
  expect(models.find(({ name }) => name === 'resnet50')).toMatchObject({
    package: '@convkit/resnet',
    task: 'classify',
    parameters: 25_557_032,
    input: [224, 224],
  });
  expect(models.find(({ name }) => name === 'yolov8n-pose')).toMatchObject({ task: 'pose', input: [640, 640], classes: 1 });
  expect(outcome.stdout.trim().split('\n')).toHaveLength(1);
  expect((await convkit(['models'])).stdout).toMatch(/resnet18 +classify .*11,689,512/);
});

test('summary counts parameters and multiply-adds', async () => {
  const outcome = await convkit(['summary', 'ResNet-20', '--json', '--backend', 'wasm']);
  const summary = lastJson(outcome);
  // He et al. 2015, table 6: 0.27 M parameters.
  expect(summary).toMatchObject({ model: 'resnet20', package: '@convkit/resnet', parameters: 269_722, input: [32, 32] });
  expect(summary.macs).toBe(40_551_040);
  const { stdout } = await convkit(['summary', 'resnet20', '--classes', '3', '--image-size', '64', '--backend', 'wasm']);
  expect(stdout).toMatch(/conv1 +Conv2d +64×64×16 +432/);
  expect(stdout).toMatch(/linear +Linear +3 +195/);
});

test('doctor says of each backend whether it can be used, why, and what to do', async () => {
  const outcome = await convkit(['doctor', '--json']);
  expect(outcome.code).toBe(0);
  const { backends } = lastJson(outcome) as { backends: { name: string; usable: boolean; reason: string; remedy?: string }[] };
  expect(backends.map(({ name }) => name)).toEqual(expect.arrayContaining(['cuda', 'webgpu', 'node', 'wasm', 'cpu']));
  for (const { usable, reason, remedy } of backends) {
    expect(reason).not.toBe('');
    expect(usable || remedy).toBeTruthy();
  }
  expect(backends.find(({ name }) => name === 'cpu')?.usable).toBe(true);
  expect((await convkit(['doctor'])).stdout).toMatch(/✓ wasm/);
});
