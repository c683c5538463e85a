import { FormatError } from '@convkit/core';
import type { GroundTruth } from '@convkit/core/detection';
import { readCocoAnnotation, readCocoCategory, readCocoImage } from './coco-record.js';
import type { CocoAnnotation, CocoCategory, CocoImage } from './coco-record.js';
import { AnnotationStore } from './coco-store.js';

/** Images, classes and objects of a file of COCO's format, in compact form: 8 bytes a number. */
export interface CocoAnnotations {
  /** In the order of the file */
  readonly images: readonly CocoImage[];
  /** In the order of their ids */
  readonly categories: readonly CocoCategory[];
  /** Of image `i`, in the order of the file; classes are indices into `categories`. */
  objects(i: number): GroundTruth[];
  /** What is odd but was taken as it is: boxes without an area, or that reach out of their image. */
  readonly notice: string | undefined;
}

/**
 * Collects the elements of `images`, `annotations` and `categories`, in any order (pass `add` to `JsonArrays`).
 *
 * Refused with the id of the annotation or image: what is not a number or of the wrong length, negative sizes, unknown
 * categories and images, ids that appear twice, and masks of another size than their image. Counted in `notice`, but kept: boxes
 * without width or height, and boxes that reach more than a pixel out of their image; COCO's own files have such.
 */
export class CocoCollector {
  readonly #images: CocoImage[] = [];
  readonly #categories: CocoCategory[] = [];
  readonly #annotations = new AnnotationStore();

  add(array: string, element: unknown, index: number): void {
    if (array === 'images') this.#images.push(readCocoImage(element, index));
    else if (array === 'categories') this.#categories.push(readCocoCategory(element, index));
    else if (array === 'annotations') this.#annotations.push(readCocoAnnotation(element, index));
  }

  /** Throws FormatError for what does not fit together. */
  finish(): CocoAnnotations {
    const [images, annotations] = [this.#images, this.#annotations];
    if (images.length === 0 || this.#categories.length === 0) {
      const missing = images.length === 0 ? 'images' : 'categories';
      throw new FormatError(`expected images, annotations and categories as COCO's files have them, found no ${missing}`);
    }
    const categories = [...this.#categories].sort((a, b) => a.id - b.id);
    const imageOf = indexById(images, 'image');
    const classOf = indexById(categories, 'category');
    const perImage: number[][] = images.map(() => []);
    const ids = new Set<number>();
    let [flat, outside] = [0, 0];
    for (let k = 0; k < annotations.length; k++) {
      const { id, imageId, categoryId, bbox, maskSize, numKeypoints } = annotations.head(k);
      const name = `annotation ${id} (image ${imageId})`;
      const [i, c] = [imageOf.get(imageId), classOf.get(categoryId)];
      if (i === undefined) throw new FormatError(`${name}: there is no image with this id`);
      if (c === undefined) throw new FormatError(`${name}: there is no category with the id ${categoryId}`);
      if (ids.has(id)) throw new FormatError(`${name}: its id appears twice; give every annotation its own`);
      ids.add(id);
      const { width, height } = images[i];
      if (maskSize && (maskSize[0] !== height || maskSize[1] !== width))
        throw new FormatError(`${name}: its mask is ${maskSize.join('×')}, but the image ${height}×${width}`);
      const joints = categories[c].keypoints?.length;
      if (numKeypoints > 0 && joints !== undefined && numKeypoints !== joints)
        throw new FormatError(`${name}: expected ${joints} keypoints as its category has, found ${numKeypoints}`);
      const [x, y, w, h] = bbox;
      if (w === 0 || h === 0) flat++;
      if (x < -1 || y < -1 || x + w > width + 1 || y + h > height + 1) outside++;
      perImage[i].push(k);
    }
    const odd = [
      ...(flat > 0 ? [`${flat} of ${annotations.length} boxes have no width or no height`] : []),
      ...(outside > 0 ? [`${outside} of ${annotations.length} boxes reach more than a pixel out of their image`] : []),
    ];
    return {
      images,
      categories,
      objects: (i) => perImage[i].map((k) => toGroundTruth(annotations.get(k), classOf)),
      notice: odd.length > 0 ? odd.join('; ') : undefined,
    };
  }
}

function indexById(elements: readonly { readonly id: number }[], kind: string): ReadonlyMap<number, number> {
  const index = new Map(elements.map(({ id }, i) => [id, i]));
  const twice = elements.find(({ id }, i) => index.get(id) !== i);
  if (twice !== undefined) throw new FormatError(`${kind} ${twice.id}: its id appears twice; give every ${kind} its own`);
  return index;
}

function toGroundTruth(annotation: CocoAnnotation, classOf: ReadonlyMap<number, number>): GroundTruth {
  const { id, categoryId, bbox, crowd, area, segmentation, keypoints } = annotation;
  const [x, y, width, height] = bbox;
  return {
    class: classOf.get(categoryId) ?? 0,
    box: [x, y, x + width, y + height],
    id,
    crowd,
    ...(area !== undefined && { area }),
    ...(segmentation && { segmentation }),
    ...(keypoints && {
      keypoints: Array.from({ length: keypoints.length / 3 }, (_, k) => {
        const [px, py, visibility] = keypoints.slice(3 * k, 3 * k + 3);
        return { x: px, y: py, visibility: visibility === 0 ? 0 : visibility === 1 ? 1 : 2 };
      }),
    }),
  };
}
