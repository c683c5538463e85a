import { crc32, deflateRawSync } from 'node:zlib';

/** A file of a zip archive, and what is to be wrong with it. */
export interface ZipContent {
  readonly name: string;
  readonly content?: Uint8Array;
  /** Default: stored */
  readonly deflate?: boolean;
  /** Unix mode with its kind; default: none, as archives made elsewhere have it */
  readonly mode?: number;
  readonly crc?: number;
  /** What the headers claim instead of the content's length */
  readonly size?: number;
  readonly flags?: number;
  readonly method?: number;
  /** What is stored instead of the deflated content */
  readonly packed?: Uint8Array;
}

/** A zip archive of these files. */
export function zip(files: readonly ZipContent[]): Buffer {
  const [bodies, directory]: Buffer[][] = [[], []];
  let offset = 0;
  for (const { name, content = Buffer.alloc(0), deflate = false, mode = 0, flags = 0, ...given } of files) {
    const packed = given.packed ?? (deflate ? deflateRawSync(content) : content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0); // version
    fields.writeUInt16LE(flags, 2);
    fields.writeUInt16LE(given.method ?? (deflate ? 8 : 0), 4);
    fields.writeUInt32LE(given.crc ?? crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(given.size ?? content.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), fields, rest, Buffer.from(name)]));
    bodies.push(local);
    offset += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, listing, end]);
}
