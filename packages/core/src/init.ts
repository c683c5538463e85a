import type { Random } from './random.js';

/** Fan-in and fan-out of a weight: the inputs that reach one output, and the outputs that one input reaches. */
export interface Fan {
  in: number;
  out: number;
}

/** Fills the values of one parameter; all values come from one distribution, so their order does not matter. */
export type Initializer = (values: Float32Array, fan: Fan, random: Random) => void;

export const constant =
  (value: number): Initializer =>
  (values) =>
    void values.fill(value);

export const zeros = constant(0);
export const ones = constant(1);

const uniform =
  (bound: (fan: Fan) => number): Initializer =>
  (values, fan, random) => {
    const limit = bound(fan);
    for (let i = 0; i < values.length; i++) values[i] = random.uniform(-limit, limit);
  };

const normal =
  (deviation: (fan: Fan) => number): Initializer =>
  (values, fan, random) => {
    const sigma = deviation(fan);
    for (let i = 0; i < values.length; i++) values[i] = sigma * random.normal();
  };

/** He et al. 2015 with the gain √2 of ReLU: N(0, 2 / fan). torchvision's nets use `mode: 'out'`. */
export const kaimingNormal = ({ mode = 'in' }: { mode?: 'in' | 'out' } = {}): Initializer =>
  normal((fan) => Math.sqrt(2 / fan[mode]));

/** He et al. 2015: U(±√(6 / ((1 + a²) · fan))), a = the negative slope; PyTorch's default for Conv2d and Linear is a = √5. */
export const kaimingUniform = ({ a = 0, mode = 'in' }: { a?: number; mode?: 'in' | 'out' } = {}): Initializer =>
  uniform((fan) => Math.sqrt(6 / ((1 + a * a) * fan[mode])));

/** Glorot and Bengio 2010: U(±√(6 / (fan in + fan out))). */
export const xavierUniform: Initializer = uniform((fan) => Math.sqrt(6 / (fan.in + fan.out)));

/** Glorot and Bengio 2010: N(0, 2 / (fan in + fan out)). */
export const xavierNormal: Initializer = normal((fan) => Math.sqrt(2 / (fan.in + fan.out)));

/** U(±1 / √fanIn): PyTorch's default for the bias of a layer with this fan-in. */
export const biasUniform = (fanIn: number): Initializer => uniform(() => 1 / Math.sqrt(fanIn));

/** U(±bound). */
export const uniformInit = ({ bound }: { bound: number }): Initializer => uniform(() => bound);

/** N(0, std²). */
export const normalInit = ({ std }: { std: number }): Initializer => normal(() => std);

/** N(0, std²) drawn again while it lies outside ±2 (in units of the value, as `torch.nn.init.trunc_normal_`). */
export const truncNormal = ({ std = 1, bound = 2 }: { std?: number; bound?: number } = {}): Initializer => {
  return (values, _, random) => {
    for (let i = 0; i < values.length; i++) {
      do values[i] = std * random.normal();
      while (Math.abs(values[i]) > bound);
    }
  };
};
