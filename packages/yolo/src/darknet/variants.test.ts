import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedDir } from '@convkit/model-tests';
import { expect, test } from 'vitest';
import { DarknetNetwork } from './network.js';
import { parseConfig } from './parse-config.js';
import { darknetClassifiers, darknetDetectors } from './variants.js';

/** Parameters, running statistics, bytes of the published `.weights` file. */
const published: Readonly<Record<string, readonly [parameters: number, buffers: number, bytes?: number]>> = {
  yolov1: [197_301_875, 26_368, 789_312_988],
  'yolov1-tiny': [27_095_374, 4_576, 108_399_816],
  yolov2: [50_962_889, 20_672, 203_934_260],
  'yolov2-voc': [50_655_389, 20_672],
  'yolov2-tiny': [11_232_057, 5_088, 44_948_596],
  'yolov2-tiny-voc': [15_861_773, 6_112],
  yolov3: [61_949_149, 52_608, 248_007_048],
  'yolov3-voc': [61_626_049, 52_608],
  'yolov3-spp': [62_998_749, 53_632, 252_209_544],
  'yolov3-tiny': [8_852_366, 6_368, 35_434_956],
  yolov4: [64_363_101, 66_304, 257_717_640],
  'yolov4-csp': [52_921_437, 64_768, 211_944_840],
  'yolov4x-mish': [99_751_053, 95_984],
  'yolov4-tiny': [6_056_606, 6_208, 24_251_276],
  'yolov4-tiny-3l': [6_327_453, 6_592],
  darknet19: [20_842_376, 14_400],
  darknet53: [41_609_928, 35_712],
};
const variants = [...darknetDetectors, ...darknetClassifiers];

test('every variant has published figures', () => {
  expect(variants.map(({ info }) => info.name)).toEqual(Object.keys(published));
});

test.each(variants.map((create) => [create.info.name, create] as const))(
  '%s has the parameters and the file of the original',
  (name, create) => {
    const { network } = create();
    const [parameters, buffers, bytes] = published[name];
    const count = (kind: string): number =>
      [...network.state()].reduce((sum, [, s]) => sum + (s.kind === kind && 'size' in s ? s.size : 0), 0);
    expect(count('parameter')).toBe(parameters);
    expect(count('buffer')).toBe(buffers);
    const header = /^yolov[12]/.test(name) ? 16 : 20;
    if (bytes !== undefined) expect(header + 4 * (parameters + buffers)).toBe(bytes);
  },
);

test.each(variants.map((create) => [create.info.name, create] as const))(
  '%s counts the multiply-adds of its convolutions',
  (_, create) => {
    const { network } = create();
    const shape = (at: number) => (at < 0 ? network.input : network.layers[at].shape);
    const macs = network.layers.reduce((sum, { config, inputs, shape: { height, width } }) => {
      const from = shape(inputs[0]);
      if (config.kind === 'connected') return sum + config.output * from.height * from.width * from.channels;
      if (config.kind === 'local') return sum + height * width * config.filters * config.size ** 2 * from.channels;
      if (config.kind !== 'convolutional') return sum;
      return sum + (height * width * config.filters * config.size ** 2 * from.channels) / config.groups;
    }, 0);
    expect(create.info.macs).toBe(macs);
  },
);

test("the backbones name their classes in Darknet's order", () => {
  const { classes } = darknetClassifiers[0]();
  expect([classes.length, classes[0], classes[999]]).toEqual([1000, 'kit fox', 'dumbbell']);
});

test.runIf(sharedDir)('the files in the package are the published ones', async () => {
  for (const { info } of variants) {
    const folder = join(sharedDir!, 'data/cfg');
    const original = [join(folder, `${info.name}.cfg`), join(folder, 'alexeyab', `${info.name}.cfg`)].find(existsSync)!;
    const text = Object.values((await import(`./cfg/${info.name}.ts`)) as Record<string, string>)[0];
    const layers = (source: string): unknown[] => {
      const { net, layers } = parseConfig(source);
      return [net, ...layers].map((section) => ({ ...section, line: 0 }));
    };
    expect(layers(text), info.name).toEqual(layers(readFileSync(original, 'utf8')));
    expect(() => new DarknetNetwork(parseConfig(text))).not.toThrow();
  }
});
