/**
 * A WebAssembly assembler, as large as the kernels of `simd.ts` and of detection's resizing need it: functions of i32 arguments that
 * work on an imported memory with 4-lane vectors. Names of instructions as in the specification (webassembly.github.io/spec).
 */

/** Machine code; nested so that expressions compose. */
export type Code = readonly (number | Code)[];

/** Unsigned LEB128. */
function uleb(value: number): number[] {
  const bytes: number[] = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value === 0 ? low : low | 0x80);
  } while (value !== 0);
  return bytes;
}

/** Signed LEB128. */
function sleb(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    const last = (value === 0 && (low & 0x40) === 0) || (value === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

/** An instruction on vectors. */
export const simd = (opcode: number): Code => [0xfd, uleb(opcode)];
/** Alignment hint of 4 bytes, and an offset. */
export const at = (offset: number): Code => [2, uleb(offset)];

export type ValueType = 0x7f | 0x7d | 0x7b;
export const I32: ValueType = 0x7f;
export const V128: ValueType = 0x7b;

export interface Local {
  readonly get: Code;
  set(value: Code): Code;
}

/** Float arithmetic on four lanes or on one: the same generator makes the vector part and the rest of a loop. */
export interface Lanes {
  readonly type: ValueType;
  readonly bytes: number;
  load(address: Code, offset?: number): Code;
  /** One float, in every lane. */
  loadSplat(address: Code, offset?: number): Code;
  store(address: Code, value: Code, offset?: number): Code;
  add(a: Code, b: Code): Code;
  sub(a: Code, b: Code): Code;
  mul(a: Code, b: Code): Code;
  /** a where b > 0, else 0. */
  wherePositive(a: Code, b: Code): Code;
  readonly zero: Code;
  readonly one: Code;
}

export const vector: Lanes = {
  type: V128,
  bytes: 16,
  load: (address, offset = 0) => [address, simd(0x00), at(offset)],
  loadSplat: (address, offset = 0) => [address, simd(0x09), at(offset)],
  store: (address, value, offset = 0) => [address, value, simd(0x0b), at(offset)],
  add: (a, b) => [a, b, simd(0xe4)],
  sub: (a, b) => [a, b, simd(0xe5)],
  mul: (a, b) => [a, b, simd(0xe6)],
  wherePositive: (a, b) => [a, b, vector.zero, simd(0x44), simd(0x4e)],
  zero: [simd(0x0c), new Array<number>(16).fill(0)],
  one: [simd(0x0c), Array.from({ length: 4 }, () => [0, 0, 0x80, 0x3f])],
};

export const single: Lanes = {
  type: 0x7d,
  bytes: 4,
  load: (address, offset = 0) => [address, 0x2a, at(offset)],
  loadSplat: (address, offset = 0) => [address, 0x2a, at(offset)],
  store: (address, value, offset = 0) => [address, value, 0x38, at(offset)],
  add: (a, b) => [a, b, 0x92],
  sub: (a, b) => [a, b, 0x93],
  mul: (a, b) => [a, b, 0x94],
  wherePositive: (a, b) => [a, single.zero, b, single.zero, 0x5e, 0x1b],
  zero: [0x43, 0, 0, 0, 0],
  one: [0x43, 0, 0, 0x80, 0x3f],
};

export const constant = (value: number): Code => [0x41, sleb(value)];
export const plus = (a: Code, b: Code): Code => [a, b, 0x6a];
export const minus = (a: Code, b: Code): Code => [a, b, 0x6b];
export const times = (a: Code, b: Code): Code => [a, b, 0x6c];
export const increase = (local: Local, by: Code): Code => local.set(plus(local.get, by));

/** Runs `body` while `left` ≥ `step`, and takes `step` off each time. */
export function whileAtLeast(left: Local, step: number, body: Code): Code {
  const done: Code = [left.get, constant(step), 0x49, 0x0d, 1];
  return [0x02, 0x40, 0x03, 0x40, done, body, left.set(minus(left.get, constant(step))), 0x0c, 0, 0x0b, 0x0b];
}

/** Hands out the locals of one function; a name stands for one local. */
export class Locals {
  readonly #arity: number;
  readonly #types: ValueType[] = [];
  readonly #named = new Map<string, Local>();

  constructor(parameters: readonly string[]) {
    this.#arity = parameters.length;
    parameters.forEach((name, i) => this.#named.set(name, local(i)));
  }

  get(name: string, type: ValueType = I32): Local {
    const key = this.#named.has(name) ? name : `${name}:${type}`;
    let found = this.#named.get(key);
    if (!found) {
      found = local(this.#arity + this.#types.push(type) - 1);
      this.#named.set(key, found);
    }
    return found;
  }

  /** Several in one go. */
  all<const Names extends readonly string[]>(names: Names, type: ValueType = I32): { [Name in keyof Names]: Local } {
    return names.map((name) => this.get(name, type)) as { [Name in keyof Names]: Local };
  }

  get declarations(): Code {
    return [uleb(this.#types.length), this.#types.map((type) => [1, type])];
  }
}

const local = (index: number): Local => ({ get: [0x20, uleb(index)], set: (value) => [value, 0x21, uleb(index)] });

export interface FunctionSource {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly body: (locals: Locals) => Code;
}

const flatten = (code: Code): number[] => code.flat(Infinity as 20) as number[];
const sized = (code: Code): Code => {
  const bytes = flatten(code);
  return [uleb(bytes.length), bytes];
};
const text = (value: string): Code => sized([...new TextEncoder().encode(value)]);
const section = (id: number, items: readonly Code[]): Code => [id, sized([uleb(items.length), ...items])];

/** The bytes of a module that imports `env.memory` and exports the functions. */
export function assemble(functions: readonly FunctionSource[], sharedMemory: boolean): Uint8Array<ArrayBuffer> {
  const bodies = functions.map(({ parameters, body }) => {
    const locals = new Locals(parameters);
    const code = body(locals);
    return sized([locals.declarations, code, 0x0b]);
  });
  const limits: Code = sharedMemory ? [0x03, uleb(0), uleb(65536)] : [0x00, uleb(0)];
  return new Uint8Array(
    flatten([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(
        1,
        functions.map(({ parameters }) => [0x60, uleb(parameters.length), parameters.map(() => I32), 0]),
      ),
      section(2, [[text('env'), text('memory'), 0x02, limits]]),
      section(
        3,
        functions.map((_, i) => uleb(i)),
      ),
      section(
        7,
        functions.map(({ name }, i) => [text(name), 0x00, uleb(i)]),
      ),
      section(10, bodies),
    ]),
  );
}
