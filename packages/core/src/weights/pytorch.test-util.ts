import crc32 from 'crc-32';

/** A pickle in the making: opcodes and their arguments as bytes. */
export type Piece = string | number | Uint8Array;

export function join(...pieces: readonly Piece[]): Uint8Array {
  return Uint8Array.from(
    Buffer.concat(pieces.map((piece) => (typeof piece === 'number' ? Buffer.of(piece) : Buffer.from(piece as string)))),
  );
}

export const uint32 = (value: number): Uint8Array => Uint8Array.from(Buffer.from(Uint32Array.of(value).buffer));
const uint16 = (value: number): Uint8Array => uint32(value).subarray(0, 2);

/** BINUNICODE, BININT, GLOBAL */
export const text = (value: string): Uint8Array => join('X', uint32(Buffer.byteLength(value)), value);
export const int = (value: number): Uint8Array => join('J', uint32(value));
export const globalName = (module: string, name: string): Uint8Array => join(`c${module}\n${name}\n`);
export const tuple = (...items: readonly Uint8Array[]): Uint8Array => join('(', ...items, 't');
export const dict = (items: readonly (readonly [string, Uint8Array])[]): Uint8Array =>
  join('}(', ...items.flatMap(([key, value]) => [text(key), value]), 'u');
export const pickle = (value: Uint8Array): Uint8Array => join(0x80, 2, value, '.');

export interface TensorPieces {
  readonly key?: string;
  readonly type?: string;
  /** Values in the storage. */
  readonly size: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/** A tensor, as torch.save writes it. */
export function tensor({ key = '0', type = 'FloatStorage', size, offset = 0, shape, stride }: TensorPieces): Uint8Array {
  const id = tuple(text('storage'), globalName('torch', type), text(key), text('cpu'), int(size));
  const ordered = join(globalName('collections', 'OrderedDict'), ')R');
  const args = tuple(join(id, 'Q'), int(offset), tuple(...shape.map(int)), tuple(...stride.map(int)), join(0x89), ordered);
  return join(globalName('torch._utils', '_rebuild_tensor_v2'), args, 'R');
}

export interface ZipFile {
  readonly name: string;
  readonly content: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
}

/** A zip archive of these files, stored. */
export function zip(files: readonly ZipFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const records: Uint8Array[] = [];
  let offset = 0;
  for (const { name, content, method = 0, flags = 0, crc = crc32.buf(content) } of files) {
    const size = uint32(content.length);
    const shared = join(
      uint16(20),
      uint16(flags),
      uint16(method),
      uint32(0),
      uint32(crc),
      size,
      size,
      uint16(name.length),
      uint16(0),
    );
    const local = join('PK\x03\x04', shared, name, content);
    records.push(join('PK\x01\x02', uint16(20), shared, new Uint8Array(10), uint32(offset), name));
    parts.push(local);
    offset += local.length;
  }
  const directory = join(...records);
  const count = uint16(files.length);
  const end = join('PK\x05\x06', uint32(0), count, count, uint32(directory.length), uint32(offset), uint16(0));
  return join(...parts, directory, end);
}

/** A `.pth` of one storage of floats, with this pickle. */
export function archive(data: Uint8Array, values = Float32Array.of(1, 2, 3, 4, 5, 6)): Uint8Array {
  return zip([
    { name: 'archive/data.pkl', content: data },
    { name: 'archive/data/0', content: new Uint8Array(values.buffer) },
  ]);
}
