import type { Image } from '@convkit/core';
import type { Box, GroundTruth } from '@convkit/core/detection';

/** An image on its way to the net, and the objects that are still in it. */
export interface Labelled {
  readonly image: Image;
  readonly objects: readonly GroundTruth[];
}

/** Takes a point of an image to where it is after a change. */
export type MovePoint = (x: number, y: number) => Point;

type Point = readonly [x: number, y: number];

/** Which changed objects stay. The thresholds are those of YOLOv4's and later nets' published training. */
const KEEP = { side: 2, area: 0.1, aspect: 100 };

/**
 * Objects after a change of the image: outlines and joints are moved point by point and cut off at the edges of the new
 * image; boxes are drawn around what is left of the outline, or of the four corners. What is then less than 2 pixels wide or high, less than a
 * tenth of its area before (times `scale`²), or 100 times longer than wide is left out; joints outside of the image become
 * unlabelled.
 */
export function moveObjects(
  objects: readonly GroundTruth[],
  move: MovePoint,
  { width, height, scale = 1 }: { readonly width: number; readonly height: number; readonly scale?: number },
): GroundTruth[] {
  return objects.flatMap((object) => {
    const moved = moveObject(object, move, width, height);
    if (!moved) return [];
    const [w, h] = sides(moved.box);
    const [w0, h0] = sides(object.box);
    const enough = w > KEEP.side && h > KEEP.side && w * h > KEEP.area * w0 * h0 * scale * scale;
    return enough && Math.max(w / h, h / w) < KEEP.aspect ? [moved] : [];
  });
}

const sides = ([x1, y1, x2, y2]: Box): [number, number] => [x2 - x1, y2 - y1];

/** The object after the move; undefined when nothing of it is left. */
function moveObject(object: GroundTruth, move: MovePoint, width: number, height: number): GroundTruth | undefined {
  const { box, segmentation, keypoints } = object;
  const moved = outlinesOf(box, segmentation).map((outline) => outline.map(([x, y]) => move(x, y)));
  const outlines = moved.map((outline) => clipOutline(outline, width, height)).filter(({ length }) => length > 2);
  if (outlines.length === 0) return undefined;
  const xs = outlines.flatMap((outline) => outline.map(([x]) => x));
  const ys = outlines.flatMap((outline) => outline.map(([, y]) => y));
  const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));
  const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b));
  const joints = keypoints?.map(({ x, y, visibility }) => {
    const [nextX, nextY] = move(x, y);
    const inside = nextX >= 0 && nextX <= width && nextY >= 0 && nextY <= height;
    return { x: nextX, y: nextY, visibility: inside ? visibility : (0 as const) };
  });
  return {
    class: object.class,
    box: [least(xs), least(ys), most(xs), most(ys)],
    ...(segmentation && { segmentation: outlines.map((outline) => outline.flat()) }),
    ...(joints && { keypoints: joints }),
  };
}

/** The outlines of an object, or the corners of its box. */
function outlinesOf([x1, y1, x2, y2]: Box, segmentation: GroundTruth['segmentation']): Point[][] {
  const polygons = segmentation && !('counts' in segmentation) ? segmentation : [[x1, y1, x2, y1, x2, y2, x1, y2]];
  return polygons.map((values) =>
    Array.from({ length: values.length >> 1 }, (_, i): Point => [values[2 * i], values[2 * i + 1]]),
  );
}

/** The part of an outline inside of an image: cut at one edge after the other (Sutherland and Hodgman 1974). */
function clipOutline(outline: readonly Point[], width: number, height: number): readonly Point[] {
  const edges: readonly [axis: 0 | 1, sign: 1 | -1, at: number][] = [
    [0, 1, 0],
    [0, -1, width],
    [1, 1, 0],
    [1, -1, height],
  ];
  return edges.reduce((points, [axis, sign, at]) => {
    const depth = (point: Point): number => sign * (point[axis] - at);
    return points.flatMap((point, i) => {
      const before = points[(i + points.length - 1) % points.length];
      const [d0, d1] = [depth(before), depth(point)];
      const t = d0 / (d0 - d1);
      const other = before[1 - axis] + t * (point[1 - axis] - before[1 - axis]);
      const crossing: Point = axis === 0 ? [at, other] : [other, at];
      return [...(d0 < 0 !== d1 < 0 ? [crossing] : []), ...(d1 >= 0 ? [point] : [])];
    });
  }, outline);
}
