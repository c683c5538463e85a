import { FormatError } from '../errors.js';
import { quoted } from './host-tensor.js';

/** A tuple of Python's; lists are arrays, dicts are Maps, integers beyond 2^53 bigints. */
export class PickleTuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** A class or function that a pickle refers to. Only `PickleRules` gives it a meaning: nothing is ever looked up or run. */
export class PickleGlobal {
  constructor(
    /** As in Python: `torch._utils._rebuild_tensor_v2`. */
    readonly name: string,
    /** What a call of it gives; undefined for a name that only stands for itself, such as a storage class. */
    readonly call: ((args: readonly unknown[]) => unknown) | undefined,
    /** May objects of it stand in the pickle, as a `PickleObject`? */
    readonly isClass = false,
  ) {}
}

/** An object of a class that nobody looked up: the name of the class, and what its state was said to be. */
export class PickleObject {
  state: unknown;

  constructor(readonly className: string) {}
}

/** What a pickle may refer to. */
export interface PickleRules {
  /** The global of this name. Throws FormatError to refuse it. */
  global(name: string): PickleGlobal;
  /** What a persistent id stands for: data that is kept outside of the pickle. */
  persistent(id: unknown): unknown;
  /** Takes the state of an object that a call made (opcode BUILD). */
  build(object: unknown, state: unknown): void;
}

/** Steps that a pickle may take: ten times those of the largest published classifiers. */
export const MAX_STEPS = 1_000_000;

/**
 * Reads one Python pickle (protocols 2 to 5) that begins at `start`, and says where it ends. It executes nothing: opcodes that
 * plain data does not need are refused, and each global must be one that `rules` knows.
 *
 * Throws FormatError for anything damaged, refused, or longer than MAX_STEPS.
 * Format: the docstrings of Python's pickletools.
 */
export function readPickle(bytes: Uint8Array, start: number, rules: PickleRules): { value: unknown; end: number } {
  return new Unpickler(bytes, start, rules).run();
}

const MARK = Symbol('mark');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Step = (this: Unpickler) => void;
const opcodes: Step[] = [];

class Unpickler {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #rules: PickleRules;
  readonly #memo = new Map<number, unknown>();
  #stack: unknown[] = [];
  #at: number;
  #steps = 0;

  constructor(bytes: Uint8Array, start: number, rules: PickleRules) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#rules = rules;
    this.#at = start;
  }

  run(): { value: unknown; end: number } {
    for (;;) {
      this.#count(1);
      const opcode = this.#uint8();
      if (opcode === 0x2e) return { value: this.#pop(), end: this.#at };
      const step: Step | undefined = opcodes[opcode];
      if (!step) throw new FormatError(`pickle: byte ${this.#at - 1} is opcode ${opcode}, which weights do not need: refused.`);
      step.call(this);
    }
  }

  /** Every step and every item that a step handles costs one, so that a small file cannot ask for endless work. */
  #count(cost: number): void {
    this.#steps += cost;
    if (this.#steps > MAX_STEPS) throw new FormatError(`pickle: takes more than ${MAX_STEPS} steps, more than weights need.`);
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new FormatError('pickle: ends in the middle: the file is cut off.');
    this.#at += length;
    return at;
  }

  #uint8 = (): number => this.#view.getUint8(this.#take(1));
  #uint16 = (): number => this.#view.getUint16(this.#take(2), true);
  #uint32 = (): number => this.#view.getUint32(this.#take(4), true);

  #text(length: number): string {
    const at = this.#take(length);
    try {
      return utf8.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw new FormatError('pickle: a string is not valid UTF-8.');
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0 || end - this.#at > 1000) throw new FormatError('pickle: a name does not end: the file is damaged.');
    const text = this.#text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  #integer(length: number): number | bigint {
    const at = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]);
    value = BigInt.asIntN(length * 8, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #pop(): unknown {
    if (this.#stack.length === 0 || this.#stack[this.#stack.length - 1] === MARK) {
      throw new FormatError('pickle: takes a value where none is: the file is damaged.');
    }
    return this.#stack.pop();
  }

  #top(): unknown {
    const value = this.#pop();
    this.#stack.push(value);
    return value;
  }

  /** The values since the last mark. */
  #marked(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw new FormatError('pickle: a list has no beginning: the file is damaged.');
    this.#count(this.#stack.length - mark);
    const values = this.#stack.splice(mark);
    values.shift();
    return values;
  }

  #tuple(length: number): void {
    const items = Array.from({ length }, () => this.#pop()).reverse();
    this.#stack.push(new PickleTuple(items));
  }

  #append(values: unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw new FormatError('pickle: appends to what is not a list: the file is damaged.');
    for (const value of values) list.push(value);
  }

  #setItems(values: unknown[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || values.length % 2 !== 0) {
      throw new FormatError('pickle: sets items of what is not a dict: the file is damaged.');
    }
    for (let i = 0; i < values.length; i += 2) dict.set(values[i], values[i + 1]);
  }

  #global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw new FormatError('pickle: a global has no name.');
    this.#stack.push(this.#rules.global(`${module}.${name}`));
  }

  #call(): void {
    const args = this.#pop();
    const callable = this.#pop();
    if (!(args instanceof PickleTuple)) throw new FormatError('pickle: a call has no arguments: the file is damaged.');
    if (!(callable instanceof PickleGlobal) || !callable.call) {
      const what = callable instanceof PickleGlobal ? quoted(callable.name) : 'what is not a function';
      throw new FormatError(`pickle: calls ${what}, which weights do not need: refused.`);
    }
    this.#count(callArguments(args));
    this.#stack.push(callable.call(args.items));
  }

  /** An object whose class is named, without a call of its `__init__`; one of a class that has no meaning here holds its state only. */
  #newObject(): void {
    const args = this.#pop();
    const type = this.#pop();
    if (type instanceof PickleGlobal && type.isClass && args instanceof PickleTuple) {
      this.#stack.push(new PickleObject(type.name));
    } else {
      this.#stack.push(type, args);
      this.#call();
    }
  }

  #recall(key: number): void {
    if (!this.#memo.has(key))
      throw new FormatError(`pickle: refers to value ${key}, which it never stored: the file is damaged.`);
    this.#stack.push(this.#memo.get(key));
  }

  static {
    const on = (opcode: number, step: Step): void => void (opcodes[opcode] = step);
    const push = (opcode: number, value: (self: Unpickler) => unknown): void =>
      on(opcode, function () {
        this.#stack.push(value(this));
      });
    on(0x80, function () {
      const protocol = this.#uint8();
      if (protocol < 2 || protocol > 5) throw new FormatError(`pickle: protocol ${protocol} is not one of 2 to 5.`);
    });
    on(0x95, function () {
      this.#take(8); // FRAME: only tells how much to read ahead
    });
    push(0x28, () => MARK);
    push(0x4e, () => null);
    push(0x88, () => true);
    push(0x89, () => false);
    push(0x4b, (self) => self.#uint8());
    push(0x4d, (self) => self.#uint16());
    push(0x4a, (self) => self.#uint32() | 0);
    push(0x8a, (self) => self.#integer(self.#uint8()));
    push(0x47, (self) => self.#view.getFloat64(self.#take(8)));
    push(0x58, (self) => self.#text(self.#uint32())); // BINUNICODE
    push(0x8c, (self) => self.#text(self.#uint8()));
    push(0x54, (self) => self.#text(self.#uint32())); // BINSTRING, of Python 2
    push(0x55, (self) => self.#text(self.#uint8()));
    push(0x5d, () => []);
    push(0x7d, () => new Map());
    push(0x29, () => new PickleTuple([]));
    push(0x74, (self) => new PickleTuple(self.#marked()));
    for (const length of [1, 2, 3]) {
      on(0x84 + length, function () {
        this.#tuple(length);
      });
    }
    on(0x61, function () {
      this.#append([this.#pop()]);
    });
    on(0x65, function () {
      this.#append(this.#marked());
    });
    on(0x73, function () {
      this.#setItems([this.#pop(), this.#pop()].reverse());
    });
    on(0x75, function () {
      this.#setItems(this.#marked());
    });
    on(0x71, function () {
      this.#memo.set(this.#uint8(), this.#top());
    });
    on(0x72, function () {
      this.#memo.set(this.#uint32(), this.#top());
    });
    on(0x94, function () {
      this.#memo.set(this.#memo.size, this.#top());
    });
    on(0x68, function () {
      this.#recall(this.#uint8());
    });
    on(0x6a, function () {
      this.#recall(this.#uint32());
    });
    on(0x63, function () {
      this.#global(this.#line(), this.#line());
    });
    on(0x93, function () {
      const name = this.#pop();
      this.#global(this.#pop(), name);
    });
    on(0x52, function () {
      this.#call();
    });
    on(0x81, function () {
      this.#newObject();
    });
    on(0x62, function () {
      const state = this.#pop();
      const object = this.#top();
      if (object instanceof PickleObject) object.state = state;
      else this.#rules.build(object, state);
    });
    push(0x51, (self) => self.#rules.persistent(self.#pop()));
  }
}

/** The items that a call can look at: its arguments and those of the lists among them. */
function callArguments({ items }: PickleTuple): number {
  return items.reduce<number>(
    (sum, item) => sum + (Array.isArray(item) ? item.length : item instanceof PickleTuple ? item.items.length : 1),
    1,
  );
}
