import { type Image, FormatError } from '@convkit/core';
import { readImage } from '@convkit/core/node';

/** Width and height of raw frames. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/**
 * The pictures of a stream as they arrive: raw RGB of a known size (`ffmpeg -f rawvideo -pix_fmt rgb24`), or JPEG and PNG files one after
 * the other (`ffmpeg -f image2pipe`, MJPEG).
 *
 * @throws FormatError naming the frame when the stream ends within one, or holds something else.
 */
export async function* readFrames(stream: AsyncIterable<Uint8Array>, size?: FrameSize): AsyncGenerator<Image> {
  const frameLength = size ? () => size.width * size.height * 3 : pictureLength;
  let pending: Uint8Array = new Uint8Array(0);
  let count = 0;
  for await (const chunk of stream) {
    pending = Buffer.concat([pending, chunk]);
    for (let length = frameLength(pending); length !== undefined && length <= pending.length; length = frameLength(pending)) {
      const frame = pending.subarray(0, length);
      pending = pending.subarray(length);
      yield size ? { pixels: Uint8Array.from(frame), ...size } : await readImage(frame, `frame ${count}`);
      count++;
    }
    if (!size && !mayBePicture(pending))
      throw new FormatError(`frame ${count}: expected a JPEG or PNG picture; for raw video give --frames WxH`);
  }
  if (pending.length > 0) throw new FormatError(`frame ${count}: the stream ends after ${pending.length} bytes of it`);
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];

const begins = (bytes: Uint8Array, mark: readonly number[]): boolean =>
  mark.slice(0, bytes.length).every((byte, i) => bytes[i] === byte);

const mayBePicture = (bytes: Uint8Array): boolean => begins(bytes, PNG) || begins(bytes, JPEG);

/** Length of the picture at the start; undefined while it is not all there. */
function pictureLength(bytes: Uint8Array): number | undefined {
  if (bytes.length < PNG.length) return undefined;
  return begins(bytes, PNG) ? pngLength(bytes) : begins(bytes, JPEG) ? jpegLength(bytes) : undefined;
}

/** Chunks of length, type, data and checksum, up to IEND. */
function pngLength(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = PNG.length; at + 12 <= bytes.length;) {
    const isEnd = view.getUint32(at + 4) === 0x49454e44;
    at += 12 + view.getUint32(at);
    if (isEnd) return at;
  }
  return undefined;
}

/** Segments up to the end marker; the compressed data between them holds no other marker than 00 (an escape) and restarts. */
function jpegLength(bytes: Uint8Array): number | undefined {
  let at = 2;
  while (at + 2 <= bytes.length) {
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff || marker === 0x00 || marker === 0xff || (marker & 0xf8) === 0xd0) at++;
    else if (marker === 0xd9) return at + 2;
    else if (at + 4 > bytes.length) return undefined;
    else at += 2 + bytes[at + 2] * 256 + bytes[at + 3];
  }
  return undefined;
}
