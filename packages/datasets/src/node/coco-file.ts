import { createReadStream } from 'node:fs';
import { ConvkitError, FormatError } from '@convkit/core';
import { CocoCollector } from '../detection/coco-annotations.js';
import type { CocoAnnotations } from '../detection/coco-annotations.js';
import { JsonArrays } from '../detection/json-arrays.js';

const pieceBytes = 1 << 20;

/**
 * Reads a file of COCO's format (instances_*.json, person_keypoints_*.json) piece by piece; the text is never in memory as a whole.
 *
 * @throws FormatError naming the file, the annotation or image, and what is wrong with it.
 * @throws ConvkitError when the file cannot be read.
 */
export async function readCocoFile(path: string, signal?: AbortSignal): Promise<CocoAnnotations> {
  const collector = new CocoCollector();
  const parser = new JsonArrays((array, element, index) => collector.add(array, element, index));
  try {
    for await (const piece of createReadStream(path, { highWaterMark: pieceBytes, signal })) parser.push(piece as Uint8Array);
    parser.end();
    return collector.finish();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ConvkitError) throw new FormatError(`${path}: ${error.message}`, { cause: error });
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined) throw new ConvkitError(`${path}: cannot be read (${code})`, { cause: error });
    throw error;
  }
}
