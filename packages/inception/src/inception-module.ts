// Inception modules of one's own: Szegedy et al. 2014, https://arxiv.org/abs/1409.4842, section 4; double 3×3 and factorised
// branches: Szegedy et al. 2015, https://arxiv.org/abs/1512.00567; dilation: Yu and Koltun 2015, https://arxiv.org/abs/1511.07122
import { AvgPool2d, MaxPool2d, type Stage } from '@convkit/core';
import { BasicConv2d, Branches, type MakeConv } from './blocks.js';

/** A way through an Inception module. `reduce` is the width of the 1×1 convolution before the larger filter. */
export type Branch =
  | { readonly type: '1x1'; readonly channels: number }
  | { readonly type: '3x3' | '5x5'; readonly reduce: number; readonly channels: number; readonly stride?: number }
  /** Two 3×3 that see as far as a 5×5. */
  | { readonly type: 'double3x3'; readonly reduce: number; readonly channels: number; readonly stride?: number }
  /** A 3×3 that sees 2 · dilation + 1 pixels. */
  | { readonly type: 'dilated3x3'; readonly reduce: number; readonly channels: number; readonly dilation: number }
  /** 1×size, then size×1, which see as far as a size×size. */
  | { readonly type: 'factorised'; readonly reduce: number; readonly channels: number; readonly size: number }
  /** 3×3 pooling, then a 1×1 convolution to `channels`; without `channels` the pooled input itself. */
  | { readonly type: 'pool'; readonly pool: 'max' | 'avg'; readonly channels?: number; readonly stride?: number };

export interface InceptionModuleOptions {
  /** Names of the branches in the state dict; default `branch1`, `branch2` … */
  names?: readonly string[];
  /** Makes the convolutions; default: `BasicConv2d` with PyTorch's initial values. */
  conv?: MakeConv;
}

/**
 * Branches of chosen types side by side: [N, H, W, cin] → [N, H/s, W/s, channels]. With a stride all branches must have it, and
 * sizes must be even.
 */
export class InceptionModule extends Branches {
  /** The sum over the branches. */
  readonly channels: number;

  constructor(cin: number, branches: readonly Branch[], { names, conv = basic }: InceptionModuleOptions = {}) {
    const named = branches.map((branch, i): [string, Stage | readonly Stage[]] => {
      const all = stages(cin, branch, conv);
      return [names?.[i] ?? `branch${i + 1}`, all.length === 1 ? all[0] : all];
    });
    super(Object.fromEntries(named));
    this.channels = branches.reduce((sum, { channels = cin }) => sum + channels, 0);
  }
}

const basic: MakeConv = (cin, cout, kernel, options) => new BasicConv2d(cin, cout, kernel, options);

function stages(cin: number, branch: Branch, conv: MakeConv): Stage[] {
  switch (branch.type) {
    case '1x1':
      return [conv(cin, branch.channels, 1)];
    case '3x3':
    case '5x5': {
      const { reduce, channels, stride } = branch;
      return [conv(cin, reduce, 1), conv(reduce, channels, branch.type === '3x3' ? 3 : 5, { stride })];
    }
    case 'double3x3': {
      const { reduce, channels, stride } = branch;
      return [conv(cin, reduce, 1), conv(reduce, channels, 3), conv(channels, channels, 3, { stride })];
    }
    case 'dilated3x3': {
      const { reduce, channels, dilation } = branch;
      return [conv(cin, reduce, 1), conv(reduce, channels, 3, { dilation })];
    }
    case 'factorised': {
      const { reduce, channels, size } = branch;
      return [conv(cin, reduce, 1), conv(reduce, channels, [1, size]), conv(channels, channels, [size, 1])];
    }
    case 'pool': {
      const { channels, stride = 1 } = branch;
      const options = { stride, padding: stride === 1 ? 1 : 0, ceilMode: true };
      const pool = branch.pool === 'max' ? new MaxPool2d(3, options) : new AvgPool2d(3, options);
      return channels === undefined ? [pool] : [pool, conv(cin, channels, 1)];
    }
  }
}
