/** Options that would make a layer compute something else; the net is not built where one of them is on. */
export const refusedOptions: Readonly<Record<string, readonly string[]>> = {
  convolutional: [
    ...['xnor', 'binary', 'share_index', 'antialiasing', 'assisted_excitation', 'flipped', 'coordconv', 'cbn'],
    ...['sway', 'rotate', 'stretch', 'stretch_sway', 'reverse'],
  ],
  maxpool: ['maxpool_depth', 'antialiasing'],
  shortcut: ['weights_type', 'weights_normalization', 'alpha', 'beta'],
  reorg: ['reverse', 'extra', 'flatten'],
  scale_channels: ['scale_wh'],
  softmax: ['tree', 'spatial'],
  region: ['tree', 'map'],
};

/** Values with which such an option changes nothing. */
export const neutral = (option: string, value: string): boolean =>
  option === 'alpha' || option === 'beta' ? Number(value) === 1 : value === '0' || value === 'none';

/** What else Darknet's own parser knows. */
export const unsupportedSections: ReadonlySet<string> = new Set([
  ...[
    'activation',
    'batchnorm',
    'contrastive',
    'conv_lstm',
    'crnn',
    'deconvolutional',
    'empty',
    'Gaussian_yolo',
    'gru',
    'history',
  ],
  ...['implicit', 'iseg', 'l2norm', 'local_avg', 'local_avgpool', 'logistic', 'lrn', 'lstm', 'normalization', 'reorg3d', 'rnn'],
  'silence',
]);
