/** How windows lie along one axis, as convkit's ops say it. */
export interface Axis {
  readonly in: number;
  readonly out: number;
  readonly before: number;
  readonly after: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
}

/** A convolution's plan, as convkit's ops say it. */
export interface ConvPlan {
  readonly height: Axis;
  readonly width: Axis;
  readonly groups: number;
}

/** Elements from a window's first to its last. */
export const extent = (axis: Axis): number => (axis.kernel - 1) * axis.dilation + 1;

/** Zeros after the input that a window reads; negative: elements of the input that none reads. */
export const end = (axis: Axis): number => (axis.out - 1) * axis.stride + extent(axis) - axis.in - axis.before;

/** Windows of neighbours, one after the other. */
export const isUnit = ({ height, width }: ConvPlan): boolean =>
  [height, width].every(({ stride, dilation }) => stride === 1 && dilation === 1);
