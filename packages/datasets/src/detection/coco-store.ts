import type { Polygons, Rle } from '@convkit/core/detection';
import type { CocoAnnotation } from './coco-record.js';
import { Column } from './column.js';

/** What an annotation has beside its numbers. */
const [CROWD, POLYGONS, RLE] = [1, 2, 4];

/** What an annotation says without its segmentation and keypoints. */
export interface AnnotationHead extends Omit<CocoAnnotation, 'segmentation' | 'keypoints'> {
  /** Where the segmentation is an RLE */
  readonly maskSize: Rle['size'] | undefined;
  readonly numKeypoints: number;
}

/** Annotations as rows of numbers: a head of fixed length, and in a second column what differs in length. */
export class AnnotationStore {
  static readonly #head = 12;
  readonly #heads = new Column();
  readonly #tails = new Column();

  get length(): number {
    return this.#heads.length / AnnotationStore.#head;
  }

  push({ id, imageId, categoryId, bbox, crowd, area = NaN, segmentation, keypoints = [] }: CocoAnnotation): void {
    const tails = this.#tails;
    const begin = tails.length;
    let flags = crowd ? CROWD : 0;
    if (segmentation && 'counts' in segmentation) {
      flags |= RLE;
      tails.push(segmentation.size);
      tails.push(segmentation.counts);
    } else if (segmentation) {
      flags |= POLYGONS;
      for (const polygon of segmentation) {
        tails.push([polygon.length]);
        tails.push(polygon);
      }
    }
    const masked = tails.length - begin;
    tails.push(keypoints);
    this.#heads.push([id, imageId, categoryId, ...bbox, area, flags, begin, masked, keypoints.length]);
  }

  /** Annotation `k` without its segmentation and keypoints; in their place the size of its mask, and how many there are. */
  head(k: number): AnnotationHead {
    const heads = this.#heads;
    const at = k * AnnotationStore.#head;
    const begin = heads.at(at + 9);
    const area = heads.at(at + 7);
    const flags = heads.at(at + 8);
    return {
      id: heads.at(at),
      imageId: heads.at(at + 1),
      categoryId: heads.at(at + 2),
      bbox: [heads.at(at + 3), heads.at(at + 4), heads.at(at + 5), heads.at(at + 6)],
      area: Number.isNaN(area) ? undefined : area,
      crowd: (flags & CROWD) !== 0,
      maskSize: flags & RLE ? [this.#tails.at(begin), this.#tails.at(begin + 1)] : undefined,
      numKeypoints: heads.at(at + 11) / 3,
    };
  }

  get(k: number): CocoAnnotation {
    const [flags, begin, masked, joints] = this.#heads.slice(k * AnnotationStore.#head + 8, 4);
    return {
      ...this.head(k),
      segmentation: flags & RLE ? this.#rle(begin, masked) : flags & POLYGONS ? this.#polygons(begin, masked) : undefined,
      keypoints: joints > 0 ? this.#tails.slice(begin + masked, joints) : undefined,
    };
  }

  #rle(begin: number, length: number): Rle {
    const [height, width] = this.#tails.slice(begin, 2);
    return { size: [height, width], counts: this.#tails.slice(begin + 2, length - 2) };
  }

  #polygons(begin: number, length: number): Polygons {
    const polygons: number[][] = [];
    for (let at = begin; at < begin + length; at += 1 + this.#tails.at(at))
      polygons.push(this.#tails.slice(at + 1, this.#tails.at(at)));
    return polygons;
  }
}
