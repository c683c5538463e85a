import { FormatError } from '@convkit/core';
import { checkRle, rleFromString } from '@convkit/core/detection';
import type { Polygons, Rle } from '@convkit/core/detection';

/** An element of `images` in a file of COCO's format. */
export interface CocoImage {
  readonly id: number;
  readonly fileName: string;
  readonly width: number;
  readonly height: number;
}

/** An element of `categories`. */
export interface CocoCategory {
  readonly id: number;
  readonly name: string;
  /** Names of the keypoints of its objects, if it has any */
  readonly keypoints: readonly string[] | undefined;
}

/** An element of `annotations`. */
export interface CocoAnnotation {
  readonly id: number;
  readonly imageId: number;
  readonly categoryId: number;
  readonly bbox: readonly [x: number, y: number, width: number, height: number];
  readonly crowd: boolean;
  readonly area: number | undefined;
  readonly segmentation: Polygons | Rle | undefined;
  /** x, y, visibility of each keypoint */
  readonly keypoints: readonly number[] | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Throws FormatError naming the image and what is wrong. */
export function readCocoImage(element: unknown, index: number): CocoImage {
  const { fields, id, name } = open(element, `images ${index}`, 'image');
  const { file_name: fileName, width, height } = fields;
  if (typeof fileName !== 'string' || fileName === '')
    throw new FormatError(`${name}: expected file_name to be a text, found ${show(fileName)}`);
  // A file of annotations must not make anyone read files from elsewhere.
  if (fileName.startsWith('/') || /\\|^[a-z]:|(^|\/)\.\.(\/|$)/i.test(fileName))
    throw new FormatError(`${name}: expected file_name to be a path below the folder of images, found ${show(fileName)}`);
  if (!isSide(width) || !isSide(height))
    throw new FormatError(`${name}: expected width and height in pixels, found ${show(width)} and ${show(height)}`);
  return { id, fileName, width, height };
}

/** Throws FormatError naming the category and what is wrong. */
export function readCocoCategory(element: unknown, index: number): CocoCategory {
  const { fields, id, name } = open(element, `categories ${index}`, 'category');
  if (typeof fields['name'] !== 'string') throw new FormatError(`${name}: expected its name, found ${show(fields['name'])}`);
  const keypoints = Array.isArray(fields['keypoints']) ? fields['keypoints'].map(String) : undefined;
  return { id, name: fields['name'], keypoints };
}

/** Throws FormatError naming the annotation, its image, and what is wrong. */
export function readCocoAnnotation(element: unknown, index: number): CocoAnnotation {
  const { fields, id, name: own } = open(element, `annotations ${index}`, 'annotation');
  const { image_id: imageId, category_id: categoryId, bbox, iscrowd = 0, area } = fields;
  if (!isId(imageId)) throw new FormatError(`${own}: expected image_id to be a whole number, found ${show(imageId)}`);
  const name = `${own} (image ${imageId})`;
  if (!isId(categoryId)) throw new FormatError(`${name}: expected category_id to be a whole number, found ${show(categoryId)}`);
  if (!isNumbers(bbox) || bbox.length !== 4 || bbox[2] < 0 || bbox[3] < 0)
    throw new FormatError(`${name}: expected bbox [x, y, width, height], found ${show(bbox)}`);
  if (iscrowd !== 0 && iscrowd !== 1 && typeof iscrowd !== 'boolean')
    throw new FormatError(`${name}: expected iscrowd to be 0 or 1, found ${show(iscrowd)}`);
  if (area !== undefined && !(typeof area === 'number' && area >= 0))
    throw new FormatError(`${name}: expected area to be 0 or more, found ${show(area)}`);
  const [x, y, width, height] = bbox;
  const segmentation = readSegmentation(fields['segmentation'], name);
  const keypoints = readKeypoints(fields['keypoints'], name);
  return { id, imageId, categoryId, bbox: [x, y, width, height], crowd: Boolean(iscrowd), area, segmentation, keypoints };
}

function readSegmentation(value: unknown, name: string): Polygons | Rle | undefined {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return undefined;
  if (Array.isArray(value)) {
    value.forEach((polygon: unknown, i) => {
      if (!isNumbers(polygon) || polygon.length % 2 !== 0)
        throw new FormatError(`${name}: expected polygon ${i} of its segmentation to be x, y, x, y, …, found ${show(polygon)}`);
    });
    return value as Polygons;
  }
  const { size, counts } = value as Fields;
  if (!isNumbers(size) || size.length !== 2 || !(typeof counts === 'string' || isNumbers(counts)))
    throw new FormatError(`${name}: expected its segmentation to be polygons, or size and counts, found ${show(value)}`);
  try {
    const [height, width] = size;
    return typeof counts === 'string' ? rleFromString(counts, [height, width]) : checkRle({ size: [height, width], counts });
  } catch (error) {
    throw new FormatError(`${name}: its segmentation is broken: ${(error as Error).message}`, { cause: error });
  }
}

function readKeypoints(value: unknown, name: string): readonly number[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isNumbers(value) || value.length % 3 !== 0 || !value.every((v, i) => i % 3 !== 2 || v === 0 || v === 1 || v === 2))
    throw new FormatError(`${name}: expected keypoints x, y, visibility (0, 1 or 2), …, found ${show(value)}`);
  return value;
}

/** The fields of an element and its id. */
function open(element: unknown, place: string, kind: string): { fields: Fields; id: number; name: string } {
  if (typeof element !== 'object' || element === null)
    throw new FormatError(`${place}: expected an object, found ${show(element)}`);
  const { id } = element as Fields;
  if (!isId(id)) throw new FormatError(`${place}: expected its id to be a whole number, found ${show(id)}`);
  return { fields: element as Fields, id, name: `${kind} ${id}` };
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isSide(value: unknown): value is number {
  return isId(value) && value > 0;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((number) => typeof number === 'number' && Number.isFinite(number));
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
