import { FormatError } from '@convkit/core';

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d];
const byteOrderMark = [0xef, 0xbb, 0xbf];

/** An element of an array; `array` is the key of a top-level array, or '' where the document itself is one. */
export type OnElement = (array: string, element: unknown, index: number) => void;

type Expected =
  '{ or [' | 'a value' | 'a value or ]' | 'a key' | 'a key or }' | '":"' | '"," or the end of its list' | 'nothing more';

/**
 * Parses a JSON document that is larger than memory should be, piece by piece: the elements of its top-level arrays are given
 * to `onElement` one by one and not kept. Everything in it is checked by JSON.parse, what lies beside these arrays too.
 */
export class JsonArrays {
  readonly #onElement: OnElement;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** Closing brackets of the document and the array that are open. */
  readonly #open: number[] = [];
  #expected: Expected = '{ or [';
  #key = '';
  #index = 0;
  /** What was read and belongs to a value or key that is not complete. */
  #rest: Uint8Array = new Uint8Array(0);
  /** Bytes of the document before `#rest`. */
  #passed = 0;
  #inValue = false;
  #inString = false;
  #escaped = false;
  #depth = 0;

  constructor(onElement: OnElement) {
    this.#onElement = onElement;
  }

  /** Takes the next bytes of the document. Throws FormatError saying where it is not JSON, and what `onElement` throws. */
  push(piece: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? piece : concat(this.#rest, piece);
    let at = this.#rest.length;
    let begin = 0;
    while (at < bytes.length) {
      if (this.#inValue) {
        at = this.#valueEnd(bytes, at);
        if (this.#inValue) break;
        this.#take(bytes, begin, at);
        continue;
      }
      const byte = bytes[at];
      const isSpace = byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
      if (isSpace || (this.#passed + at < 3 && byte === byteOrderMark[this.#passed + at])) at++;
      else if (this.#structure(byte, this.#passed + at)) at++;
      else begin = at;
    }
    const kept = this.#inValue ? begin : bytes.length;
    this.#passed += kept;
    this.#rest = bytes.slice(kept);
  }

  /** The document is complete. Throws FormatError when it is not. */
  end(): void {
    if (this.#inValue || this.#expected !== 'nothing more') {
      const place = this.#inValue ? `inside of ${this.#name()}` : `where ${this.#expected} should follow`;
      throw new FormatError(`the JSON ends after ${this.#passed + this.#rest.length} bytes, ${place}; get the whole file`);
    }
  }

  /** Handles a byte between values; false when a value or key begins with it. */
  #structure(byte: number, at: number): boolean {
    const list = this.#open.at(-1);
    const isNext = this.#expected === '"," or the end of its list';
    const mayClose = isNext || this.#expected === 'a value or ]' || this.#expected === 'a key or }';
    if (mayClose && byte === list) {
      this.#open.pop();
      this.#expected = this.#open.length === 0 ? 'nothing more' : '"," or the end of its list';
      return true;
    }
    if (isNext && byte === COMMA) {
      this.#expected = list === CLOSE_OBJECT ? 'a key' : 'a value';
      return true;
    }
    if (this.#expected === '":"' && byte === COLON) {
      this.#expected = 'a value';
      return true;
    }
    const isKey = this.#expected === 'a key' || this.#expected === 'a key or }';
    const isValue = this.#expected === 'a value' || this.#expected === 'a value or ]';
    const isDocument = this.#expected === '{ or [';
    if ((isDocument || isValue) && byte === OPEN_ARRAY && list !== CLOSE_ARRAY) {
      this.#open.push(CLOSE_ARRAY);
      this.#index = 0;
      this.#expected = 'a value or ]';
      return true;
    }
    if (isDocument && byte === OPEN_OBJECT) {
      this.#open.push(CLOSE_OBJECT);
      this.#expected = 'a key or }';
      return true;
    }
    if (
      !(isKey ? byte === QUOTE : isValue && byte !== COMMA && byte !== COLON && byte !== CLOSE_ARRAY && byte !== CLOSE_OBJECT)
    ) {
      const found = JSON.stringify(String.fromCharCode(byte));
      throw new FormatError(`not JSON: expected ${this.#expected} at byte ${at}, found ${found}`);
    }
    this.#inValue = true;
    return false;
  }

  /** Where the value ends; the end of the bytes, still `#inValue`, if it goes on. */
  #valueEnd(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) {
          this.#inString = false;
          if (this.#depth === 0) return this.#endValue(at + 1);
        }
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth++;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        if (this.#depth === 0) return this.#endValue(at);
        if (--this.#depth === 0) return this.#endValue(at + 1);
      } else if (this.#depth === 0 && (byte === COMMA || byte === COLON || byte <= 0x20)) return this.#endValue(at);
    }
    return bytes.length;
  }

  #endValue(at: number): number {
    this.#inValue = false;
    return at;
  }

  /** Parses the value or key in bytes[begin … end). */
  #take(bytes: Uint8Array, begin: number, end: number): void {
    const isKey = this.#expected === 'a key' || this.#expected === 'a key or }';
    let value: unknown;
    let text = '';
    try {
      text = this.#decoder.decode(bytes.subarray(begin, end));
      value = JSON.parse(text);
    } catch (error) {
      const id = /"id"\s*:\s*(\d+)/.exec(text)?.[1];
      const reason = (error as Error).message.replaceAll('\n', ' ');
      throw new FormatError(
        `${this.#name()}${id === undefined ? '' : ` (id ${id})`} at byte ${this.#passed + begin} is not JSON: ${reason}`,
      );
    }
    if (isKey) {
      this.#key = value as string;
      this.#expected = '":"';
      return;
    }
    this.#expected = '"," or the end of its list';
    if (this.#open.at(-1) === CLOSE_ARRAY) this.#onElement(this.#open.length === 1 ? '' : this.#key, value, this.#index++);
  }

  #name(): string {
    if (this.#expected === 'a key' || this.#expected === 'a key or }') return 'a key';
    const list = this.#open.length === 1 && this.#open[0] === CLOSE_ARRAY ? 'element ' : `${this.#key} `;
    return this.#open.at(-1) === CLOSE_ARRAY ? `${list}${this.#index}` : `the value of ${JSON.stringify(this.#key)}`;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
