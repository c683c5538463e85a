// The names that others give to the weights of these nets, for `loadStateDict(model, weights, { rename })`.

/** Stage and place in it of a block that is known by its running number; `counts` are the blocks of each stage. */
function locate(counts: readonly number[], index: number): { stage: number; block: number } {
  let [stage, block] = [0, index];
  while (stage < counts.length && block >= counts[stage]) block -= counts[stage++];
  return { stage, block };
}

const v1Blocks = [1, 2, 2, 6, 2];

/** Keras' names of MobileNet v1: `conv_dw_3_bn.weight` → `blocks.1.1.bn1.weight`. Other names stay as they are. */
export function renameKerasV1(name: string): string {
  const [layer, tensor] = name.split('.');
  const match = /^conv_(dw|pw)_(\d+)(_bn)?$/.exec(layer);
  if (!match) {
    const renamed = { conv1: 'conv_stem', conv1_bn: 'bn1', conv_preds: 'classifier' }[layer];
    return renamed ? `${renamed}.${tensor}` : name;
  }
  const { stage, block } = locate(v1Blocks, Number(match[2]) - 1);
  const part = match[3] ? { dw: 'bn1', pw: 'bn2' }[match[1]] : `conv_${match[1]}`;
  return `blocks.${stage}.${block}.${part}.${tensor}`;
}

const v2Blocks = [1, 2, 3, 4, 3, 3, 1];
const v2Layers: Readonly<Record<string, string>> = {
  conv_stem: 'features.0.0',
  bn1: 'features.0.1',
  conv_head: 'features.18.0',
  bn2: 'features.18.1',
  classifier: 'classifier.1',
};
/** The first block has no expansion. */
const v2First: Readonly<Record<string, string>> = { conv_dw: '0.0', bn1: '0.1', conv_pw: '1', bn2: '2' };
const v2Others: Readonly<Record<string, string>> = {
  conv_pw: '0.0',
  bn1: '0.1',
  conv_dw: '1.0',
  bn2: '1.1',
  conv_pwl: '2',
  bn3: '3',
};

/** timm's names of MobileNet v2: `blocks.1.0.conv_dw.weight` → `features.2.conv.1.0.weight`. Other names stay as they are. */
export function renameTimmV2(name: string): string {
  const match = /^blocks\.(\d+)\.(\d+)\.(\w+)\.(\w+)$/.exec(name);
  if (!match) {
    const [layer, tensor] = name.split('.');
    return layer in v2Layers ? `${v2Layers[layer]}.${tensor}` : name;
  }
  const stage = Number(match[1]);
  const before = v2Blocks.slice(0, stage).reduce((sum, count) => sum + count, 0);
  const part = (stage === 0 ? v2First : v2Others)[match[3]];
  return part === undefined ? name : `features.${1 + before + Number(match[2])}.conv.${part}.${match[4]}`;
}
