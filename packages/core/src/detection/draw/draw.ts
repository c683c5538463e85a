import type { Box, Detection, Keypoint } from '../types.js';
import { classColours } from './colours.js';
import { type Rectangle, placeLabel } from './labels.js';
import { outlines } from './outline.js';
import { type Skeleton, personSkeleton } from './skeleton.js';

/** What is needed of a 2D canvas; a browser's context has it, and so has that of a canvas package for Node. */
export type Canvas2D = Pick<
  CanvasRenderingContext2D,
  | 'save' | 'restore' | 'beginPath' | 'closePath' | 'moveTo' | 'lineTo' | 'arc' | 'rect' | 'fill' | 'stroke' | 'fillRect' | 'strokeRect' | 'fillText' | 'measureText'
  | 'fillStyle' | 'strokeStyle' | 'lineWidth' | 'lineJoin' | 'lineCap' | 'font' | 'textBaseline'
>; // prettier-ignore

export interface DrawOptions {
  /** Width and height of the picture under the drawing, in pixels of the boxes. */
  readonly width: number;
  readonly height: number;
  /** CSS names of the label's fonts. Default: 'sans-serif'. */
  readonly fontFamily?: string;
  /** The joints that lines connect. Default: those of COCO's person, for poses of 17 keypoints. */
  readonly skeleton?: Skeleton;
}

/** Joints that a net is less sure of are not drawn. */
const LEAST_KEYPOINT_SCORE = 0.5;

/**
 * Draws detections over a picture: masks, boxes, skeletons, and a label with the class and the score of each, in colours by class
 * and in sizes that go with the picture. Labels stay inside of it; one that no place is left for is not drawn. The picture itself
 * must be on the canvas, one pixel to a unit.
 *
 *     context.drawImage(photo, 0, 0);
 *     drawDetections(context, await model.detect(photo), photo);
 */
export function drawDetections(context: Canvas2D, detections: readonly Detection[], options: DrawOptions): void {
  const side = Math.sqrt(options.width * options.height);
  const line = Math.max(1.5, side / 330);
  // The surest object is drawn last, over the others, and chooses the place of its label first.
  const byScore = [...detections].sort((a, b) => a.score - b.score);
  context.save();
  context.lineJoin = 'round';
  context.lineCap = 'round';
  for (const detection of byScore) drawMask(context, detection, line);
  for (const { box, class: index } of byScore) drawBox(context, box, classColours(index).line, line);
  for (const { keypoints, class: index } of byScore) {
    if (keypoints) drawSkeleton(context, keypoints, options.skeleton, classColours(index).line, line);
  }
  drawLabels(context, byScore.reverse(), options, Math.max(10, side / 50));
  context.restore();
}

function drawMask(context: Canvas2D, { mask, class: index }: Detection, line: number): void {
  if (!mask) return;
  const colours = classColours(index);
  context.beginPath();
  for (const outline of outlines(mask)) {
    for (let i = 0; i < outline.length; i += 2) {
      if (i === 0) context.moveTo(outline[0], outline[1]);
      else context.lineTo(outline[i], outline[i + 1]);
    }
    context.closePath();
  }
  context.fillStyle = colours.fill;
  context.fill('evenodd');
  context.strokeStyle = colours.line;
  context.lineWidth = line * 0.6;
  context.stroke();
}

/** A coloured line with a dark edge, so that it is seen on a ground of its own colour. */
function drawBox(context: Canvas2D, [x1, y1, x2, y2]: Box, colour: string, line: number): void {
  for (const [style, width] of [
    ['rgba(0, 0, 0, 0.35)', line * 1.7],
    [colour, line],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  }
}

function drawSkeleton(
  context: Canvas2D,
  keypoints: readonly Keypoint[],
  skeleton: Skeleton | undefined,
  colour: string,
  line: number,
): void {
  const bones = skeleton ?? (keypoints.length === 17 ? personSkeleton : []);
  const seen = (index: number): Keypoint | undefined =>
    keypoints[index]?.score >= LEAST_KEYPOINT_SCORE ? keypoints[index] : undefined;
  for (const [style, width] of [
    ['rgba(0, 0, 0, 0.5)', line * 2.2],
    [colour, line * 1.3],
  ] as const) {
    context.beginPath();
    for (const [from, to] of bones) {
      const [a, b] = [seen(from), seen(to)];
      if (!a || !b) continue;
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
    }
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }
  context.lineWidth = line * 0.6;
  context.fillStyle = '#fff';
  keypoints.forEach((_, index) => {
    const joint = seen(index);
    if (!joint) return;
    context.beginPath();
    context.arc(joint.x, joint.y, line * 1.25, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  });
}

function drawLabels(context: Canvas2D, detections: readonly Detection[], options: DrawOptions, fontSize: number): void {
  context.font = `600 ${fontSize}px ${options.fontFamily ?? 'sans-serif'}`;
  context.textBaseline = 'middle';
  const padding = fontSize * 0.35;
  const taken: Rectangle[] = [];
  const labels = detections.flatMap(({ label, score, class: index, box: [x1, y1, x2, y2] }) => {
    const text = `${label} ${score.toFixed(2)}`;
    const size = { width: context.measureText(text).width + 2 * padding, height: fontSize * 1.4 };
    const place = placeLabel({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 }, size, options, taken);
    if (!place) return [];
    taken.push(place);
    return [{ text, place, colours: classColours(index) }];
  });
  for (const { text, place, colours } of labels.reverse()) {
    context.fillStyle = colours.line;
    context.fillRect(place.x, place.y, place.width, place.height);
    context.fillStyle = colours.text;
    context.fillText(text, place.x + padding, place.y + place.height / 2);
  }
}
