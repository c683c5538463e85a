import type { Outline } from './raster.js';

/** The classes of the synthetic data set, in the order of its labels. */
export const shapeClasses = [
  'circle',
  'ring',
  'crescent',
  'heart',
  'triangle',
  'square',
  'star',
  'cross',
  'arrow',
  'hourglass',
] as const;
export type ShapeClass = (typeof shapeClasses)[number];

type Point = readonly [x: number, y: number];

/**
 * Outlines of each shape around (0, 0), with all points within distance 1.16.
 *
 * Only + − × ÷ and √ are used, which IEEE 754 rounds the same on every machine (sin and cos it does not).
 */
export const shapeOutlines: Record<ShapeClass, readonly Outline[]> = {
  circle: [circle(0.92)],
  ring: [circle(1), circle(0.56)],
  crescent: [crescent()],
  heart: [heart()],
  triangle: [
    [
      [0, -1],
      [0.87, 0.75],
      [-0.87, 0.75],
    ],
  ],
  square: [
    [
      [-0.76, -0.76],
      [0.76, -0.76],
      [0.76, 0.76],
      [-0.76, 0.76],
    ],
  ],
  star: [star(0.42)],
  cross: [cross(0.97, 0.28)],
  arrow: [
    [
      [0, -1],
      [0.82, -0.08],
      [0.29, -0.08],
      [0.29, 0.95],
      [-0.29, 0.95],
      [-0.29, -0.08],
      [-0.82, -0.08],
    ],
  ],
  hourglass: [
    [
      [-0.72, -0.9],
      [0.72, -0.9],
      [0.12, 0],
      [0.72, 0.9],
      [-0.72, 0.9],
      [-0.12, 0],
    ],
  ],
};

/** A polygon of 64 corners: the quarter points, halved four times. */
function circle(radius: number): Outline {
  let points: Point[] = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ];
  for (let halving = 0; halving < 4; halving++) {
    points = points.flatMap((point, i) => {
      const next = points[(i + 1) % points.length];
      const x = point[0] + next[0];
      const y = point[1] + next[1];
      const length = Math.sqrt(x * x + y * y);
      return [point, [x / length, y / length] as const];
    });
  }
  return points.map(([x, y]) => [x * radius, y * radius]);
}

/** A disc without a smaller disc to the right of it. */
function crescent(): Outline {
  const bite = { x: 0.52, radius: 0.78 };
  const outer = circle(1).filter(([x, y]) => (x - bite.x) ** 2 + y * y > bite.radius ** 2);
  const inner = circle(bite.radius).filter(([x, y]) => (x + bite.x) ** 2 + y * y < 1);
  // Both run with the angle; the outer arc leaves out angles around 0, the inner keeps those around 180°.
  const upper = outer.filter(([, y]) => y >= 0);
  const lower = outer.filter(([, y]) => y < 0);
  const back = inner.map(([x, y]) => [x + bite.x, y] as const).reverse();
  return [...upper, ...lower, ...back].map(([x, y]) => [x + 0.12, y * 0.98]);
}

/** Two cubic Bézier curves on each side. */
function heart(): Outline {
  const right = [
    ...bezier([0, -0.5], [0.2, -1], [0.98, -0.95], [0.95, -0.25]),
    ...bezier([0.95, -0.25], [0.9, 0.3], [0.3, 0.6], [0, 0.95]),
  ];
  const left = right.map(([x, y]) => [-x, y] as const).reverse();
  return [...right, ...left];
}

function bezier(a: Point, b: Point, c: Point, d: Point): Point[] {
  return Array.from({ length: 12 }, (_, i) => {
    const t = i / 12;
    const s = 1 - t;
    const at = (axis: 0 | 1): number =>
      s * s * s * a[axis] + 3 * s * s * t * b[axis] + 3 * s * t * t * c[axis] + t * t * t * d[axis];
    return [at(0), at(1)] as const;
  });
}

/** Five points on the unit circle, the notches at `inner`. */
function star(inner: number): Outline {
  // cos and sin of 36°, the turn from a point to the next notch
  const cos = (1 + Math.sqrt(5)) / 4;
  const sin = Math.sqrt(10 - 2 * Math.sqrt(5)) / 4;
  const points: Point[] = [];
  let x = 0;
  let y = -1;
  for (let i = 0; i < 10; i++) {
    const radius = i % 2 === 0 ? 1 : inner;
    points.push([x * radius, y * radius]);
    [x, y] = [x * cos - y * sin, x * sin + y * cos];
  }
  return points;
}

function cross(length: number, half: number): Outline {
  const corner: Point[] = [
    [half, -length],
    [half, -half],
    [length, -half],
  ];
  const turns: Point[] = [...corner];
  for (let i = 1, points = corner; i < 4; i++) {
    points = points.map(([x, y]) => [-y, x] as const);
    turns.push(...points);
  }
  return turns;
}
