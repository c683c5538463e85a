import { FormatError } from '../errors.js';
import { quoted } from './host-tensor.js';

/** What the header says of one tensor, its form checked but not yet its meaning. */
export interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offsets: readonly number[];
}

export interface Header {
  readonly entries: Map<string, HeaderEntry>;
  readonly metadata: Record<string, string>;
}

/** More tensors, metadata entries or dimensions than these in one file mean that it is not a weight file. */
const MAX_ENTRIES = 65_536;
const MAX_RANK = 32;

/**
 * Parses the JSON header of a safetensors file. It reads this one grammar and nothing else: `JSON.parse` would hide
 * duplicate keys, and would build whatever a hostile file describes before anyone could look at it.
 * Throws FormatError.
 */
export function parseHeader(text: string): Header {
  const reader = new Reader(text);
  const entries = new Map<string, HeaderEntry>();
  let metadata: Map<string, string> | undefined;
  reader.object('the header', (name) => {
    if (name === '__metadata__') {
      if (metadata) throw new FormatError('safetensors: the header has two "__metadata__" entries.');
      metadata = readMetadata(reader);
      return;
    }
    if (entries.has(name)) throw new FormatError(`safetensors: the header names tensor ${quoted(name)} twice.`);
    if (entries.size === MAX_ENTRIES) throw new FormatError(`safetensors: the file names more than ${MAX_ENTRIES} tensors.`);
    entries.set(name, readEntry(reader, name));
  });
  reader.end();
  return { entries, metadata: Object.fromEntries(metadata ?? []) };
}

function readMetadata(reader: Reader): Map<string, string> {
  const metadata = new Map<string, string>();
  reader.object('"__metadata__"', (key) => {
    if (metadata.has(key)) throw new FormatError(`safetensors: "__metadata__" has the key ${quoted(key)} twice.`);
    if (metadata.size === MAX_ENTRIES) throw new FormatError(`safetensors: "__metadata__" has more than ${MAX_ENTRIES} keys.`);
    metadata.set(key, reader.string(`"__metadata__" entry ${quoted(key)}`));
  });
  return metadata;
}

function readEntry(reader: Reader, name: string): HeaderEntry {
  const where = `tensor ${quoted(name)}`;
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  reader.object(where, (field) => {
    if (field === 'dtype' && dtype === undefined) dtype = reader.string(`the dtype of ${where}`);
    else if (field === 'shape' && !shape) shape = reader.integers(`the shape of ${where}`, MAX_RANK);
    else if (field === 'data_offsets' && !offsets) offsets = reader.integers(`data_offsets of ${where}`, 2);
    else throw new FormatError(`safetensors: ${where} has an unknown or repeated field ${quoted(field)}.`);
  });
  if (dtype === undefined || !shape || offsets?.length !== 2) {
    throw new FormatError(`safetensors: ${where} needs a dtype, a shape and two data_offsets.`);
  }
  return { dtype, shape, offsets };
}

const WHITESPACE = new Set([' ', '\t', '\n', '\r']);

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads `{ "key": … }`; `member` reads the value of each key. */
  object(where: string, member: (key: string) => void): void {
    this.#expect('{', where);
    if (this.#accept('}')) return;
    do {
      const key = this.string(`a key of ${where}`);
      this.#expect(':', where);
      member(key);
    } while (this.#accept(','));
    this.#expect('}', where);
  }

  string(where: string): string {
    this.#expect('"', where);
    const start = this.#at - 1;
    let end = start;
    do {
      end = this.#text.indexOf('"', end + 1);
      if (end === -1) throw this.#error(where);
    } while (this.#isEscaped(end));
    this.#at = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string;
    } catch {
      throw this.#error(where, start);
    }
  }

  /** Reads an array of whole numbers that are not negative. */
  integers(where: string, most: number): number[] {
    const values: number[] = [];
    this.#expect('[', where);
    if (this.#accept(']')) return values;
    do {
      if (values.length === most) throw new FormatError(`safetensors: ${where} has more than ${most} numbers.`);
      values.push(this.#integer(where));
    } while (this.#accept(','));
    this.#expect(']', where);
    return values;
  }

  end(): void {
    this.#skipWhitespace();
    if (this.#at < this.#text.length) throw this.#error('the end of the header');
  }

  /** Is the character at `at` behind an odd number of backslashes? */
  #isEscaped(at: number): boolean {
    let backslashes = 0;
    while (this.#text[at - 1 - backslashes] === '\\') backslashes++;
    return backslashes % 2 === 1;
  }

  #integer(where: string): number {
    this.#skipWhitespace();
    const start = this.#at;
    while (this.#text[this.#at] >= '0' && this.#text[this.#at] <= '9') this.#at++;
    const digits = this.#text.slice(start, this.#at);
    const value = Number(digits);
    if (digits === '' || (digits.length > 1 && digits[0] === '0') || !Number.isSafeInteger(value))
      throw this.#error(where, start);
    return value;
  }

  #accept(c: string): boolean {
    this.#skipWhitespace();
    if (this.#text[this.#at] !== c) return false;
    this.#at++;
    return true;
  }

  #expect(c: string, where: string): void {
    if (!this.#accept(c)) throw this.#error(where);
  }

  #skipWhitespace(): void {
    while (WHITESPACE.has(this.#text[this.#at])) this.#at++;
  }

  #error(where: string, at = this.#at): FormatError {
    return new FormatError(`safetensors: the header is broken at character ${at}, in ${where}.`);
  }
}
