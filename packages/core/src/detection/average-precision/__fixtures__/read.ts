import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { rleFromString } from '../../rle-string.js';
import type { Detection, GroundTruth, Rle } from '../../types.js';

interface StoredRle {
  size: [number, number];
  counts: string | number[];
}

/** Ground truth, detections and the figures of pycocotools 2.0.11, as `reference/coco.py` and COCO's files write them. */
export interface Stored {
  kind: 'bbox' | 'segm' | 'keypoints';
  gt: {
    images: { id: number }[];
    annotations: {
      id: number;
      image_id: number;
      category_id: number;
      iscrowd: number;
      bbox: [number, number, number, number];
      area: number;
      segmentation?: number[][] | StoredRle;
      keypoints?: number[];
    }[];
    categories: { id: number; name: string }[];
  };
  dt: {
    image_id: number;
    category_id: number;
    score: number;
    bbox?: [number, number, number, number];
    segmentation?: StoredRle;
    keypoints?: number[];
  }[];
  expect: {
    stats: number[];
    ap_per_category: Record<string, number>;
    precision_sum: number;
    precision_count: number;
    recall_sum: number;
  };
}

export interface ImageCase {
  id: number;
  detections: Detection[];
  objects: GroundTruth[];
}

export function readStored(name: string): Stored {
  return JSON.parse(gunzipSync(readFileSync(new URL(`${name}.json.gz`, import.meta.url))).toString()) as Stored;
}

/** The sets of COCO's two kinds of files, image by image. */
export function toImages({ gt, dt }: Pick<Stored, 'gt' | 'dt'>): ImageCase[] {
  const classes = new Map(gt.categories.map(({ id }, i) => [id, i]));
  const classOf = (id: number): number => classes.get(id) ?? -1;
  return gt.images.map(({ id }) => ({
    id,
    objects: gt.annotations
      .filter(({ image_id }) => image_id === id)
      .map((a) => ({
        class: classOf(a.category_id),
        box: corners(a.bbox),
        area: a.area,
        crowd: a.iscrowd === 1,
        id: a.id,
        segmentation: a.segmentation && ('counts' in a.segmentation ? toRle(a.segmentation) : a.segmentation),
        keypoints:
          a.keypoints && triples(a.keypoints).map(([x, y, v]) => ({ x, y, visibility: v === 0 ? 0 : v === 1 ? 1 : 2 }) as const),
      })),
    detections: dt
      .filter(({ image_id }) => image_id === id)
      .map((d) => ({
        class: classOf(d.category_id),
        label: '',
        score: d.score,
        box: corners(d.bbox ?? [0, 0, 0, 0]),
        mask: d.segmentation && toRle(d.segmentation),
        keypoints: d.keypoints && triples(d.keypoints).map(([x, y, score]) => ({ x, y, score })),
      })),
  }));
}

function corners([x, y, width, height]: readonly [number, number, number, number]) {
  return [x, y, x + width, y + height] as const;
}

function toRle({ size, counts }: StoredRle): Rle {
  return typeof counts === 'string' ? rleFromString(counts, size) : { size, counts };
}

function triples(values: readonly number[]): number[][] {
  return Array.from({ length: values.length / 3 }, (_, i) => values.slice(3 * i, 3 * i + 3));
}
