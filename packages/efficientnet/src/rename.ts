// timm's names of these nets' weights, for `loadStateDict(model, weights, { rename })`.

type Layers = Readonly<Record<string, string>>;

/** Blocks without expansion; the first stage of the first EfficientNet. */
const depthwiseFirst: Layers = {
  conv_dw: '0.0',
  bn1: '0.1',
  'se.conv_reduce': '1.fc1',
  'se.conv_expand': '1.fc2',
  conv_pw: '2.0',
  bn2: '2.1',
};
const mbconv: Layers = {
  conv_pw: '0.0',
  bn1: '0.1',
  conv_dw: '1.0',
  bn2: '1.1',
  'se.conv_reduce': '2.fc1',
  'se.conv_expand': '2.fc2',
  conv_pwl: '3.0',
  bn3: '3.1',
};
/** With expansion `conv_exp` and `conv_pwl`, without it `conv`. */
const fused: Layers = { conv: '0.0', conv_exp: '0.0', bn1: '0.1', conv_pwl: '1.0', bn2: '1.1' };

function rename(name: string, stages: number, layersOf: (stage: number) => Layers): string {
  const match = /^blocks\.(\d+)\.(\d+)\.(.+)\.(\w+)$/.exec(name);
  if (match) {
    const [, stage, block, layer, tensor] = match;
    const renamed = layersOf(Number(stage))[layer];
    return renamed === undefined ? name : `features.${Number(stage) + 1}.${block}.block.${renamed}.${tensor}`;
  }
  const head = `features.${stages + 1}`;
  const outside: Layers = {
    conv_stem: 'features.0.0',
    bn1: 'features.0.1',
    conv_head: `${head}.0`,
    bn2: `${head}.1`,
    classifier: 'classifier.1',
  };
  const [layer, tensor] = name.split('.');
  return layer in outside ? `${outside[layer]}.${tensor}` : name;
}

/** timm's names of B0 to B7: `blocks.1.0.conv_dw.weight` → `features.2.0.block.1.0.weight`. Other names stay as they are. */
export const renameTimm = (name: string): string => rename(name, 7, (stage) => (stage === 0 ? depthwiseFirst : mbconv));

/** timm's names of EfficientNetV2-S, whose six stages are one less than those of M and L. Other names stay as they are. */
export const renameTimmV2S = (name: string): string => rename(name, 6, (stage) => (stage < 3 ? fused : mbconv));

/** timm's names of EfficientNetV2-M and -L. Other names stay as they are. */
export const renameTimmV2 = (name: string): string => rename(name, 7, (stage) => (stage < 3 ? fused : mbconv));
