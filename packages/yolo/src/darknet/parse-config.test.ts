import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '@convkit/core';
import { sharedDir } from '@convkit/model-tests';
import { describe, expect, test } from 'vitest';
import type { LayerConfig } from './config.js';
import { parseConfig } from './parse-config.js';

const net = '[net]\nwidth=64\nheight=64\n';
const layer = (text: string): LayerConfig => parseConfig(`${net}${text}`).layers.at(-1)!;
const failure = (text: string): string => {
  try {
    parseConfig(text);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  return 'no error';
};

describe('the text of a .cfg file', () => {
  test('takes blanks, comments, byte order marks and any ends of lines', () => {
    const text =
      '\uFEFF# Training\r\n  [net] \r\n\twidth= 96\r\n  height =32 # pixels\r\n\r\n; old\r\n [upsample]\r\n  #stride=4\r\nstride=2;4\r\n';
    const { net, layers } = parseConfig(text);
    expect(net).toMatchObject({ width: 96, height: 32, channels: 3, line: 2 });
    expect(layers).toEqual([{ kind: 'upsample', line: 7, stride: 2, scale: 1 }]);
  });

  test.each([
    [
      'a line without =',
      `${net}[upsample]\nstride 2`,
      'line 5, section [upsample]: missing "=" in "stride 2"; expected key=value.',
    ],
    ['a line without a key', `${net}=2`, 'line 4, section [net]: no key before "=" in "=2".'],
    [
      'a key twice',
      `${net}[upsample]\nstride=2\n\nstride=2`,
      'line 7, section [upsample]: multiple values for the key "stride", the first in line 5; remove one.',
    ],
    [
      'the size twice',
      `${net}width=32`,
      'line 4, section [net]: multiple values for the key "width", the first in line 2; remove one.',
    ],
    ['a header without ]', `${net}[upsample\nstride=2`, 'line 4: the section header "[upsample" does not end with "]".'],
    [
      'a setting before the first section',
      'width=32\n[net]',
      'line 1: "width=32" stands before the first section; expected [net].',
    ],
    ['no section', '# nothing\n', 'expected a Darknet .cfg file with a [net] section, found none.'],
    ['another first section', '[upsample]\nstride=2', 'line 1: expected the first section to be [net], found [upsample].'],
    ['[net] twice', `${net}[net]\nwidth=32`, 'line 4: a second section [net]; expected one, at the start.'],
  ])('refuses %s', (_, text, message) => {
    expect(failure(text)).toBe(message);
  });

  test('takes the first of options that only training reads, as published files have them', () => {
    expect(parseConfig('[net]\nbatch=1\nsubdivisions=1\nbatch=64\nwidth=32\nheight=32').net.width).toBe(32);
  });
});

describe('sections', () => {
  test('become typed layers with their defaults', () => {
    expect(layer('[convolutional]\nfilters=8\nsize=3\npad=1\nstride_x=2\nactivation=leaky')).toEqual({
      ...{ kind: 'convolutional', line: 4, filters: 8, size: 3, stride: [1, 2], padding: 1, dilation: 1, groups: 1 },
      ...{ batchNormalize: false, activation: 'leaky' },
    });
    expect(layer('[maxpool]\nsize=5\nstride=1')).toMatchObject({ size: 5, stride: [1, 1], padding: 4 });
    expect(layer('[yolo]\nmask = 1,2\nanchors = 10,14,  23,27,  37,58\nclasses=3\nnum=3\nignore_thresh=.7')).toMatchObject({
      ...{ kind: 'yolo', classes: 3, mask: [1, 2], scaleXY: 1, newCoords: false, ignoreThreshold: 0.7, diouBeta: undefined },
      anchors: [
        [10, 14],
        [23, 27],
        [37, 58],
      ],
    });
    expect(layer('[region]\nanchors=1.5,2\nclasses=2\nnum=1\nsoftmax=1')).toMatchObject({ anchors: [[1.5, 2]], softmax: true });
    expect(layer('[detection]\nclasses=20\nside=7\nnum=3\nsqrt=1')).toMatchObject({
      side: 7,
      num: 3,
      softmax: false,
      sqrt: true,
    });
  });

  test('refer to others by numbers, negative ones counted backwards', () => {
    const two = '[upsample]\nstride=2\n[upsample]\nstride=2\n';
    expect(layer(`${two}[route]\nlayers = -1, 0`)).toMatchObject({ layers: [1, 0], groups: 1, groupId: 0 });
    expect(layer(`${two}[shortcut]\nfrom=-2,-1\nactivation=linear`)).toMatchObject({ from: [0, 1] });
  });

  test.each([
    ['[convolution]', 'line 4: Darknet has no section [convolution]; supported are [convolutional] [conv] '],
    ['[convolutional]\nsize=3', 'line 4, section [convolutional]: the option "filters" is missing.'],
    ['[convolutional]\nfilters=x', 'line 5, section [convolutional]: expected filters to be a number, found "x".'],
    [
      '[convolutional]\nfilters=1.5',
      'line 5, section [convolutional]: expected filters to be a whole number of at least 1, found "1.5".',
    ],
    ['[convolutional]\nfilters=1\nactivation=gelly', 'expected activation to be one of linear, leaky, relu, '],
    ['[route]\nlayers=-1', 'expected layers to be layers before this one, which is number 0, found "-1".'],
    ['[route]\nlayers=', 'expected layers to be numbers, found "".'],
    ['[upsample]\n[route]\nlayers=0\ngroups=2\ngroup_id=2', 'expected group_id to be less than groups (= 2), found "2".'],
    ['[yolo]\nclasses=1\nanchors=1,2,3\nmask=0', 'expected anchors to be at least 1 pairs of numbers, found "1,2,3".'],
    ['[yolo]\nclasses=1\nanchors=1,2\nmask=1', 'expected mask to be anchors from 0 to 0, of which there are 1, found "1".'],
    ['[dropout]\nprobability=1', 'expected probability to be at least 0 and below 1, found "1".'],
  ])('refuse %j', (text, message) => {
    expect(failure(`${net}${text}`)).toContain(message);
  });

  test('of other kinds of nets, and options that change what is computed, are marked as not supported', () => {
    expect(layer('[rnn]\noutput=10')).toEqual({ kind: 'unsupported', line: 4, what: '[rnn]' });
    expect(layer('[conv]\nfilters=1\nxnor=1')).toMatchObject({ kind: 'unsupported', what: 'xnor=1 of [conv]' });
    expect(layer('[conv]\nfilters=1\nxnor=0')).toMatchObject({ kind: 'convolutional' });
    expect(layer('[upsample]\n[shortcut]\nweights_type=none\nfrom=0').kind).toBe('shortcut');
    expect(layer('[upsample]\n[shortcut]\nweights_type=per_channel\nfrom=0').kind).toBe('unsupported');
    expect(layer('[upsample]\n[shortcut]\nfrom=0\nalpha=1.0').kind).toBe('shortcut');
    expect(layer('[upsample]\n[shortcut]\nfrom=0\nalpha=.5')).toMatchObject({ what: 'alpha=.5 of [shortcut]' });
  });

  test('tell whose program a file is for', () => {
    const program = (text: string): string => parseConfig(`${net}${text}`).net.program;
    expect(program('[convolutional]\nfilters=1\nactivation=leaky')).toBe('redmon');
    expect(program('[convolutional]\nfilters=1\nactivation=mish')).toBe('bochkovskiy');
    expect(program('letter_box=1')).toBe('bochkovskiy');
  });
});

describe.runIf(sharedDir)('published files', () => {
  const root = join(sharedDir ?? '', 'data');
  const folders = ['cfg', 'cfg/alexeyab', 'cfg/alexeyab/yolov1', 'weights/darknet'].map((folder) => join(root, folder));
  const files = folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => file.endsWith('.cfg'))
      .map((file) => join(folder, file)),
  );

  test('parse, all of them', () => {
    expect(files.length).toBeGreaterThan(100);
    for (const file of files) expect(() => parseConfig(readFileSync(file, 'utf8')), file).not.toThrow();
  });
});
