import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArgumentError, FormatError, Random, ShapeError, inference, selectBackend } from '@convkit/core';
import '@convkit/core/train';
import { sharedDir } from '@convkit/model-tests';
import { type Scalar, type Tensor, add, memory, mul, sum, tensor, tidy, variableGrads } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { DarknetNetwork } from './network.js';
import { parseConfig } from './parse-config.js';

const build = (text: string, size = 8): DarknetNetwork =>
  new DarknetNetwork(parseConfig(`[net]\nwidth=${size}\nheight=${size}\n${text}`));
const conv = (options: string): string => `[convolutional]\npad=1\nsize=3\n${options}\n`;
const heads = '[yolo]\nmask=0\nanchors=10,14\nclasses=2\n';

/** Values in the order image, channel, row, column → [N,H,W,C]. */
function input([n, c, h, w]: readonly number[], value: (i: number) => number): Tensor {
  const values = new Float32Array(n * c * h * w);
  for (let i = 0; i < values.length; i++) {
    const [image, channel, pixel] = [Math.floor(i / (c * h * w)), Math.floor(i / (h * w)) % c, i % (h * w)];
    values[(image * h * w + pixel) * c + channel] = value(i);
  }
  return tensor(values, [n, h, w, c]);
}

beforeAll(() => selectBackend('cpu'));

describe('a net from a .cfg file', () => {
  test('names its weights after the number of the layer, and counts strides', () => {
    const text = `${conv('filters=4\nbatch_normalize=1\nstride=2\nactivation=leaky')}[route]\nlayers=-1\n${conv('filters=7\nactivation=linear')}${heads}`;
    const net = build(text);
    expect([...net.state()].map(([name, { shape }]) => `${name} ${String(shape)}`)).toEqual([
      '0.conv_0.weight 4,3,3,3',
      '0.batch_norm_0.weight 4',
      '0.batch_norm_0.bias 4',
      '0.batch_norm_0.running_mean 4',
      '0.batch_norm_0.running_var 4',
      '0.batch_norm_0.num_batches_tracked ',
      '2.conv_2.weight 7,4,3,3',
      '2.conv_2.bias 7',
    ]);
    expect(net.stride).toBe(2);
    expect(net.heads).toMatchObject([{ index: 3, stride: 2 }]);
  });

  test('takes inputs of any size that its strides divide', () => {
    const net = build(`${conv('filters=7\nstride=2\nactivation=linear')}${heads}`).initialize();
    tidy(() => {
      expect(
        net.forward(
          input([2, 3, 4, 10], () => 1),
          inference,
        )[0].shape,
      ).toEqual([2, 2, 5, 7]);
      expect(() =>
        net.forward(
          input([1, 3, 4, 5], () => 1),
          inference,
        ),
      ).toThrow(ArgumentError);
      expect(() =>
        net.forward(
          input([1, 3, 4, 5], () => 1),
          inference,
        ),
      ).toThrow('multiples of 2, not 4×5');
      expect(() =>
        net.forward(
          input([1, 1, 4, 4], () => 1),
          inference,
        ),
      ).toThrow(ShapeError);
    });
    net.dispose();
  });

  test.each([
    [
      `${conv('filters=6')}${heads}`,
      'line 8: layer 1 [yolo] reads 7 channels for classes=2 and its anchors in mask=, the layer before gives 6.',
    ],
    [
      '[convolutional]\nfilters=4\ngroups=2',
      'line 4: layer 0 [convolutional] has groups=2, which must divide its 3 input channels and filters=4.',
    ],
    [
      `${conv('filters=2\nstride=2')}${conv('filters=2')}[upsample]\n[route]\nlayers=-1,0`,
      'layer 3 [route] joins maps of 8×8×2 and 4×4×2.',
    ],
    [`${conv('filters=3')}[route]\nlayers=0\ngroups=2`, 'layer 1 [route] splits channels that groups=2 does not divide.'],
    [`${conv('filters=2\nstride=2')}[upsample]\n[shortcut]\nfrom=0`, 'layer 2 [shortcut] adds a map of 4×4×2 to one of 8×8×2.'],
    [`${conv('filters=2')}[reorg]\nstride=2`, 'layer 1 [reorg] has stride=2, which does not divide its input of 8×8×2.'],
    ['[convolutional]\nfilters=1\nsize=9', 'line 4: layer 0 [convolutional] has nothing left of its input of 8×8×3.'],
    ['[lstm]\noutput=3', 'line 4: [lstm] is not supported; supported sections are [convolutional] '],
    ['[convolutional]\nfilters=1\nxnor=1', 'line 4: xnor=1 of [convolutional] is not supported; '],
    [`[softmax]\n${conv('filters=1')}`, 'line 4: layer 0 [softmax] is supported as the last one only.'],
    ['', 'line 1: the file has no layers after [net].'],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => build(text)).toThrow(FormatError);
    expect(() => build(text)).toThrow(message);
  });
});

describe('layers without a reference run', () => {
  const random = new Random(1);
  const values = (count: number): Float32Array => Float32Array.from({ length: count }, () => random.uniform(-1, 1));

  test('[local] and [connected] take values in the order channel, row, column', async () => {
    const net = build('[local]\nfilters=2\nsize=3\npad=1\nactivation=linear\n[connected]\noutput=4\nactivation=relu', 4);
    const [w, b, v, c] = [values(16 * 2 * 27), values(2 * 16), values(4 * 32), values(4)];
    const set = new Map([...net.parameters()]);
    set.get('0.local_0.weight')!.set(w);
    set.get('0.local_0.bias')!.set(b);
    set.get('1.connected_1.weight')!.set(v);
    set.get('1.connected_1.bias')!.set(c);
    const x = values(3 * 16);
    const seen = (ch: number, y: number, u: number): number => (y < 0 || u < 0 || y > 3 || u > 3 ? 0 : x[ch * 16 + y * 4 + u]);
    const local = Array.from({ length: 32 }, (_, i) => {
      const [filter, place] = [Math.floor(i / 16), i % 16];
      let total = b[i];
      for (let tap = 0; tap < 27; tap++) {
        const [channel, ky, kx] = [Math.floor(tap / 9), Math.floor(tap / 3) % 3, tap % 3];
        total += w[(place * 2 + filter) * 27 + tap] * seen(channel, Math.floor(place / 4) + ky - 1, (place % 4) + kx - 1);
      }
      return total;
    });
    const expected = Array.from(c, (bias, out) =>
      Math.max(
        0,
        local.reduce((total, value, i) => total + v[out * 32 + i] * value, bias),
      ),
    );
    const before = memory().numTensors;
    const image = input([1, 3, 4, 4], (i) => x[i]);
    const [y] = net.forward(image, inference);
    expect(y.shape).toEqual([1, 1, 1, 4]);
    const found = await y.data();
    expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 4));
    for (const t of [y, image]) t.dispose();
    expect(memory().numTensors).toBe(before);
    net.dispose();
  });

  test('[shortcut] adds every n-th pixel of a larger map, and as many channels as both have', async () => {
    const net = build(
      `${conv('filters=4\nactivation=linear')}[route]\nlayers=0\ngroups=2\ngroup_id=1\n[maxpool]\nsize=2\nstride=2\n[shortcut]\nfrom=0\nactivation=linear`,
      4,
    ).initialize();
    const x = input([1, 3, 4, 4], (i) => Math.sin(i));
    const [a, pooled, y] = net.trace(x, inference, [0, 2, 3]);
    const [av, pv, yv] = [await a.data(), await pooled.data(), await y.data()];
    expect(y.shape).toEqual([1, 2, 2, 2]);
    for (let i = 0; i < 8; i++) {
      const [row, column, channel] = [Math.floor(i / 4), Math.floor(i / 2) % 2, i % 2];
      expect(yv[i]).toBeCloseTo(pv[i] + av[(row * 2 * 4 + column * 2) * 4 + channel], 5);
    }
    for (const t of [a, pooled, y, x]) t.dispose();
    net.dispose();
  });

  test('[sam], [scale_channels], [crop] and [upsample] with a scale compute as Darknet does', async () => {
    const net = build(
      '[crop]\ncrop_width=2\ncrop_height=2\n[avgpool]\n[scale_channels]\nfrom=0\n[sam]\nfrom=0\n[upsample]\nstride=2\nscale=3',
      4,
    );
    const x = input([1, 3, 4, 4], (i) => i / 48);
    const [cropped, y] = net.trace(x, inference, [0, 4]);
    const [c, v] = [await cropped.data(), await y.data()];
    const pixel = (channel: number, row: number, column: number): number =>
      (2 * (channel * 16 + (row + 1) * 4 + column + 1)) / 48 - 1;
    for (let channel = 0; channel < 3; channel++) {
      const all = [0, 1, 2, 3].map((i) => pixel(channel, i >> 1, i & 1));
      const mean = all.reduce((a, b) => a + b) / 4;
      all.forEach((value, i) => expect(c[i * 3 + channel]).toBeCloseTo(value, 5));
      expect(v[(3 * 4 + 2) * 3 + channel]).toBeCloseTo(3 * mean * all[3] * all[3], 5); // (3, 2) repeats (1, 1)
    }
    for (const t of [cropped, y, x]) t.dispose();
  });

  test('activations give what Darknet computes', async () => {
    const points = [-6, -2.5, -0.5, 0.25, 0.75, 1.5, 5];
    const expected: Record<string, (x: number) => number> = {
      relie: (x) => (x > 0 ? x : 0.01 * x),
      ramp: (x) => (x > 0 ? 1.1 * x : 0.1 * x),
      loggy: (x) => 2 / (1 + Math.exp(-x)) - 1,
      hardtan: (x) => Math.min(1, Math.max(-1, x)),
      lhtan: (x) => (x < 0 ? 0.001 * x : x > 1 ? 0.001 * (x - 1) + 1 : x),
      plse: (x) => (x < -4 ? 0.01 * (x + 4) : x > 4 ? 0.01 * (x - 4) + 1 : 0.125 * x + 0.5),
      leaky: (x) => (x > 0 ? x : 0.1 * x),
    };
    for (const [name, f] of Object.entries(expected)) {
      const net = new DarknetNetwork(
        parseConfig(`[net]\nwidth=7\nheight=1\nchannels=1\n[upsample]\nstride=1\n[shortcut]\nfrom=-1\nactivation=${name}`),
      );
      const x = input([1, 1, 1, 7], (i) => points[i] / 2);
      const [y] = net.forward(x, inference);
      const found = await y.data();
      points.forEach((point, i) => expect(found[i], `${name}(${point})`).toBeCloseTo(f(point), 4));
      for (const t of [x, y]) t.dispose();
    }
  });
});

test('every parameter of a net of all kinds of layers receives a gradient, and nothing is left in memory', async () => {
  for (const backend of ['cpu', 'wasm']) {
    await selectBackend(backend);
    const before = memory().numTensors;
    const bn = 'batch_normalize=1\n';
    const net = build(
      [
        conv(`${bn}filters=8\nstride=2\nactivation=mish`),
        '[route]\nlayers=-1\ngroups=2\ngroup_id=1\n',
        conv(`${bn}filters=8\ngroups=2\nactivation=leaky`),
        '[shortcut]\nfrom=-3\nactivation=swish\n',
        '[maxpool]\nsize=2\nstride=1\n',
        '[reorg]\nstride=2\n',
        conv(`${bn}filters=8\nactivation=relu6`),
        '[upsample]\nstride=2\n',
        '[route]\nlayers=-1,0\n',
        conv('filters=7\nactivation=linear'),
        heads,
        '[route]\nlayers=6\n',
        '[local]\nfilters=2\nsize=3\npad=1\nactivation=elu\n',
        '[dropout]\nprobability=.5\n',
        '[connected]\noutput=14\nactivation=linear\n',
        '[detection]\nclasses=4\nside=1\nnum=2\n',
      ].join(''),
    ).initialize();
    const parameters = [...net.parameters()];
    const x = input([2, 3, 8, 8], (i) => Math.sin(i));
    const { value, grads } = variableGrads(
      () =>
        tidy(
          () =>
            net
              .forward(x, { training: true, random: new Random(0) })
              .map((map) => sum(mul(map, map)))
              .reduce((a, b) => add(a, b)) as Scalar,
        ),
      parameters.map(([, { value }]) => value),
    );
    for (const [name, { value }] of parameters) {
      const gradient = grads[value.name];
      expect(gradient, `gradient of ${name}`).toBeTruthy();
      expect(
        (await gradient.data()).some((v) => v !== 0 && Number.isFinite(v)),
        `gradient of ${name}`,
      ).toBe(true);
    }
    for (const t of [value, x, ...Object.values(grads)]) t.dispose();
    net.dispose();
    expect(memory().numTensors).toBe(before);
  }
});

describe.runIf(sharedDir)('published nets that no variant has', () => {
  const count = (file: string): number => {
    const net = new DarknetNetwork(parseConfig(readFileSync(join(sharedDir!, 'data/cfg', file), 'utf8')));
    return [...net.parameters()].reduce((total, [, { size }]) => total + size, 0);
  };
  test.each([
    ['alexeyab/yolov4-csp-swish.cfg', 52_921_437],
    ['alexeyab/yolov4-p5.cfg', 70_830_684],
    ['alexeyab/yolov4-p6.cfg', 127_585_200],
    ['alexeyab/yolov7.cfg', 36_928_413],
    ['alexeyab/enet-coco.cfg', 4_770_414],
    ['alexeyab/cspx-p7-mish.cfg', 276_316_196],
    ['resnet50.cfg', 22_780_456],
    ['vgg-16.cfg', 138_357_544],
    ['yolov3-openimages.cfg', 64_754_734],
  ])('%s has %i parameters', (file, parameters) => expect(count(file)).toBe(parameters));

  test.each([
    ['yolo9000.cfg', 'tree=data/9k.tree of [region]'],
    ['alexeyab/Gaussian_yolov3_BDD.cfg', '[Gaussian_yolo]'],
    ['alexeyab/yolov3-tiny_xnor.cfg', 'xnor=1 of [convolutional]'],
    ['gru.cfg', '[gru]'],
  ])('%s is refused for its %s', (file, what) => expect(() => count(file)).toThrow(`${what} is not supported`));
});
