import { FormatError } from '@convkit/core';
import { type CfgSection, isNet, readSections } from './cfg-text.js';
import type { DarknetConfig, LayerConfig, NetConfig, Program } from './config.js';
import { Options } from './options.js';
import { parsers } from './parse-layers.js';
import { neutral, refusedOptions, unsupportedSections } from './unsupported.js';

/**
 * Reads a Darknet `.cfg` file, of pjreddie's Darknet (YOLOv1 to YOLOv3) or AlexeyAB's (YOLOv4). Layers are numbered from 0 after `[net]`,
 * and references to others (`layers=-1, 61`) become such numbers. Layers that Darknet knows and convkit does not build become
 * `unsupported`; building the net then fails and says so.
 *
 *     const { net, layers } = parseConfig(await readFile('yolov3.cfg', 'utf8'));
 *     layers.filter((layer) => layer.kind === 'yolo').length; // 3
 *
 * Throws FormatError with line and section: see `readSections`; a file that does not start with `[net]`, a section or activation that
 * Darknet does not know, a missing or wrong option, a reference to a layer that is not there.
 */
export function parseConfig(text: string): DarknetConfig {
  const [first, ...sections] = readSections(text);
  if (!first || !isNet(first.name)) {
    throw new FormatError(
      first
        ? `line ${first.line}: expected the first section to be [net], found [${first.name}].`
        : 'expected a Darknet .cfg file with a [net] section, found none.',
    );
  }
  return { net: { ...parseNet(new Options(first)), program: programOf([first, ...sections]) }, layers: sections.map(parseLayer) };
}

/** What only Bochkovskiy's program has. */
const bochkovskiys = {
  sections: ['sam', 'scale_channels', 'Gaussian_yolo', 'reorg3d', 'local_avgpool', 'contrastive', 'implicit'],
  options: [
    ...['letter_box', 'mosaic', 'cutmix', 'stride_x', 'stride_y', 'dilation', 'group_id', 'weights_type', 'antialiasing'],
    ...[
      'scale_x_y',
      'new_coords',
      'iou_loss',
      'iou_thresh',
      'iou_normalizer',
      'obj_normalizer',
      'cls_normalizer',
      'nms_kind',
      'max_delta',
    ],
  ],
  activations: ['swish', 'mish', 'relu6', 'hard_mish'],
};

function programOf(sections: readonly CfgSection[]): Program {
  const { sections: names, options, activations } = bochkovskiys;
  const his = sections.some(
    ({ name, entries }) =>
      names.includes(name) ||
      options.some((option) => entries.has(option)) ||
      activations.includes(entries.get('activation')?.value ?? ''),
  );
  return his ? 'bochkovskiy' : 'redmon';
}

function parseNet(options: Options): Omit<NetConfig, 'program'> {
  const size = (key: string): number | undefined => (options.has(key) ? options.integer(key) : undefined);
  return {
    line: options.line,
    width: size('width'),
    height: size('height'),
    channels: options.integer('channels', 3),
    letterbox: options.flag('letter_box'),
  };
}

function parseLayer(section: CfgSection, index: number): LayerConfig {
  if (isNet(section.name))
    throw new FormatError(`line ${section.line}: a second section [${section.name}]; expected one, at the start.`);
  const { name, line } = section;
  if (unsupportedSections.has(name)) return { kind: 'unsupported', line, what: `[${name}]` };
  if (!Object.hasOwn(parsers, name)) {
    throw new FormatError(`line ${line}: Darknet has no section [${name}]; supported are ${supportedSections}.`);
  }
  const options = new Options(section);
  const layer = parsers[name](options, index);
  const refused = refusedOptions[layer.kind]?.find((key) => options.has(key) && !neutral(key, options.text(key, '')));
  if (refused === undefined) return layer;
  return { kind: 'unsupported', line, what: `${refused}=${options.text(refused, '')} of [${name}]` };
}

/** The sections that a net may have, for errors. */
export const supportedSections: string = Object.keys(parsers)
  .map((name) => `[${name}]`)
  .join(' ');
