import crc32 from 'crc-32';
import { FormatError } from '../errors.js';
import { quoted } from './host-tensor.js';

/** A file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** The content, a view into the archive; `checkedContent` compares it with its checksum. */
  readonly content: Uint8Array;
  readonly crc: number;
}

/** More files than any checkpoint has. */
export const MAX_ENTRIES = 100_000;

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;

/** Does this begin as a zip archive with at least one file does? */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * The files of a zip archive whose entries are stored, not compressed, as torch.save writes them; ZIP64 included. What is
 * given are views: an archive cannot unpack to more than its own size.
 *
 * Throws FormatError, naming the entry, for an archive that is cut off, has entries that overlap, share a name, are
 * compressed or encrypted, or lie on several disks.
 * Format: PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.
 */
export function readZip(bytes: Uint8Array): Map<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directory = findDirectory(view);
  if (directory.count > MAX_ENTRIES) {
    throw new FormatError(`zip: the archive claims ${directory.count} files, more than the ${MAX_ENTRIES} allowed.`);
  }
  const entries = new Map<string, ZipEntry>();
  const extents: { name: string; begin: number; end: number }[] = [];
  let at = directory.offset;
  for (let i = 0; i < directory.count; i++) {
    if (at + 46 > directory.end || view.getUint32(at, true) !== CENTRAL) {
      throw new FormatError(`zip: the directory ends after ${i} of ${directory.count} files: the archive is damaged.`);
    }
    const record = centralRecord(bytes, view, at, directory.end);
    at = record.next;
    if (entries.has(record.name)) throw new FormatError(`zip: two files are named ${quoted(record.name)}.`);
    const begin = contentStart(bytes, view, record, directory.offset);
    const end = begin + record.size;
    if (end > directory.offset) throw new FormatError(`zip: ${quoted(record.name)} runs into the directory: it is cut off.`);
    extents.push({ name: record.name, begin: record.header, end });
    entries.set(record.name, { name: record.name, content: bytes.subarray(begin, end), crc: record.crc });
  }
  checkOverlaps(extents);
  return entries;
}

/** The content of an entry. Throws FormatError when it does not have the checksum that the archive states. */
export function checkedContent({ name, content, crc }: ZipEntry): Uint8Array {
  if (crc32.buf(content) >>> 0 !== crc) {
    throw new FormatError(
      `zip: ${quoted(name)} does not have its checksum (CRC-32): the file is damaged; download or save it again.`,
    );
  }
  return content;
}

interface Directory {
  readonly count: number;
  readonly offset: number;
  readonly end: number;
}

function findDirectory(view: DataView): Directory {
  const end = findEnd(view);
  let directory = {
    disks: view.getUint16(end + 4, true) + view.getUint16(end + 6, true),
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
  };
  let limit = end;
  if (end >= 20 && view.getUint32(end - 20, true) === LOCATOR_64) {
    const at = uint64(view, end - 12);
    if (at + 56 > end - 20 || view.getUint32(at, true) !== END_64) throw new FormatError('zip: the ZIP64 directory is damaged.');
    directory = {
      disks: view.getUint32(at + 16, true) + view.getUint32(at + 20, true),
      count: uint64(view, at + 32),
      size: uint64(view, at + 40),
      offset: uint64(view, at + 48),
    };
    limit = at;
  }
  const { disks, count, size, offset } = directory;
  if (disks !== 0) throw new FormatError('zip: the archive is one part of several; join them first.');
  if (offset + size > limit) throw new FormatError('zip: the directory lies outside of the archive: the file is damaged.');
  return { count, offset, end: offset + size };
}

/** The end record stands at the end, but for a comment of up to 65,535 bytes. */
function findEnd(view: DataView): number {
  const last = view.byteLength - 22;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    if (view.getUint32(at, true) === END && at + 22 + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  throw new FormatError('zip: the archive has no end record: the file is cut off; download it again.');
}

interface CentralRecord {
  readonly name: string;
  readonly crc: number;
  readonly size: number;
  /** Where the entry's own header is. */
  readonly header: number;
  readonly next: number;
}

function centralRecord(bytes: Uint8Array, view: DataView, at: number, limit: number): CentralRecord {
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
  const next = at + 46 + nameLength + extraLength + commentLength;
  if (next > limit) throw new FormatError('zip: a record runs beyond the directory: the file is damaged.');
  const name = entryName(bytes.subarray(at + 46, at + 46 + nameLength));
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  if ((flags & 1) !== 0) throw new FormatError(`zip: ${quoted(name)} is encrypted.`);
  if (method !== 0) {
    throw new FormatError(`zip: ${quoted(name)} is compressed (method ${method}); torch.save stores its files as they are.`);
  }
  const wide = wideFields(view, at, nameLength, extraLength);
  const [size, stored, header] = [24, 20, 42].map((field) => {
    const value = view.getUint32(at + field, true);
    return value === 0xffffffff ? wide(name) : value;
  });
  if (size !== stored) throw new FormatError(`zip: ${quoted(name)} is stored in ${stored} bytes, but claims ${size}.`);
  return { name, crc: view.getUint32(at + 16, true), size, header, next };
}

/** The 64-bit values of an entry's ZIP64 field, which stand in for 32-bit ones that are full, in order. */
function wideFields(view: DataView, at: number, nameLength: number, extraLength: number): (name: string) => number {
  let field = at + 46 + nameLength;
  const end = field + extraLength;
  while (field + 4 <= end && view.getUint16(field, true) !== 1) field += 4 + view.getUint16(field + 2, true);
  let position = field + 4;
  const last = field + 4 <= end ? Math.min(end, position + view.getUint16(field + 2, true)) : 0;
  return (name) => {
    if (position + 8 > last) throw new FormatError(`zip: ${quoted(name)} lacks its 64-bit size or place: the file is damaged.`);
    position += 8;
    return uint64(view, position - 8);
  };
}

function contentStart(bytes: Uint8Array, view: DataView, { name, header }: CentralRecord, limit: number): number {
  if (header + 30 > limit || view.getUint32(header, true) !== LOCAL) {
    throw new FormatError(`zip: there is no file where ${quoted(name)} should begin: the archive is damaged.`);
  }
  const start = header + 30 + view.getUint16(header + 26, true);
  if (start > limit || entryName(bytes.subarray(header + 30, start)) !== name) {
    throw new FormatError(`zip: another file stands where ${quoted(name)} should begin: the archive is damaged.`);
  }
  return start + view.getUint16(header + 28, true);
}

function entryName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FormatError('zip: the name of a file is not valid UTF-8.');
  }
}

function checkOverlaps(extents: { name: string; begin: number; end: number }[]): void {
  extents.sort((a, b) => a.begin - b.begin);
  for (let i = 1; i < extents.length; i++) {
    if (extents[i].begin < extents[i - 1].end) {
      throw new FormatError(`zip: ${quoted(extents[i].name)} overlaps ${quoted(extents[i - 1].name)}.`);
    }
  }
}

/** An unsigned 64-bit number; beyond 2^53 it is rounded, and far outside of any file. */
function uint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
