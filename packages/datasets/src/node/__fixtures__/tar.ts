import { gzipSync } from 'node:zlib';
import { cifarRecordBytes } from '../../records.js';

/** One entry of a tar archive, as a test wants it: right or wrong. */
export interface TarEntry {
  name: string;
  content?: Uint8Array;
  /** Default: '0', a file */
  type?: string;
  link?: string;
  /** What the header claims, where that is not the length of the content */
  size?: number;
  prefix?: string;
  badChecksum?: boolean;
}

/** The bytes of an archive, without compression. */
export function tar(entries: readonly TarEntry[], end = 1024): Buffer {
  return Buffer.concat([...entries.flatMap(tarEntry), Buffer.alloc(end)]);
}

export function tarGz(entries: readonly TarEntry[]): Buffer {
  return gzipSync(tar(entries), { level: 1 });
}

function tarEntry({ name, content = new Uint8Array(0), type = '0', link = '', size, prefix = '', badChecksum }: TarEntry): Buffer[] {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${(size ?? content.length).toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write(link, 157, 100);
  header.write('ustar\0' + '00', 257);
  header.write(prefix, 345, 155);
  const sum = header.reduce((a, b) => a + b, badChecksum ? 1 : 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)];
}

/** A pax header whose records hold for the next entry. */
export function pax(records: Record<string, string>): TarEntry {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.byteLength(` ${key}=${value}\n`);
    let length = rest + 1;
    while (String(length).length + rest !== length) length++;
    return `${length} ${key}=${value}\n`;
  });
  return { name: 'PaxHeader', type: 'x', content: Buffer.from(lines.join('')) };
}

export const folder = 'cifar-10-batches-bin';

/** The entries of CIFAR-10's archive with `records` records a file; every pixel of file n is n. */
export function cifarEntries(records: number): TarEntry[] {
  const file = (name: string, fill: number): TarEntry => {
    const content = Buffer.alloc(records * cifarRecordBytes, fill);
    for (let i = 0; i < records; i++) content[i * cifarRecordBytes] = i % 10;
    return { name: `${folder}/${name}`, content };
  };
  const classes = 'airplane automobile bird cat deer dog frog horse ship truck'.replaceAll(' ', '\n');
  return [
    { name: `${folder}/`, type: '5' },
    ...[1, 2, 3, 4, 5].map((n) => file(`data_batch_${n}.bin`, n)),
    { name: `${folder}/batches.meta.txt`, content: Buffer.from(`${classes}\n\n`) },
    { name: `${folder}/readme.html`, content: Buffer.from('<html></html>') },
    file('test_batch.bin', 6),
  ];
}
