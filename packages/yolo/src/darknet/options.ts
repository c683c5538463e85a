import { FormatError } from '@convkit/core';
import { type CfgEntry, type CfgSection, quote } from './cfg-text.js';

/** Reads the options of one section; every error names the line and the section. */
export class Options {
  readonly #section: CfgSection;

  constructor(section: CfgSection) {
    this.#section = section;
  }

  /** Of the section's header. */
  get line(): number {
    return this.#section.line;
  }

  has(key: string): boolean {
    return this.#section.entries.has(key);
  }

  /** A whole number; without `fallback` the option must be there. */
  integer(key: string, fallback?: number, atLeast = 1): number {
    const value = this.number(key, fallback);
    if (Number.isSafeInteger(value) && value >= atLeast) return value;
    return this.fail(key, `a whole number of at least ${atLeast}`);
  }

  number(key: string, fallback?: number): number {
    const entry = this.#entry(key, fallback);
    if (!entry) return fallback!;
    return this.#number(key, entry.value);
  }

  /** An option that is on unless it is absent or 0. */
  flag(key: string): boolean {
    return this.number(key, 0) !== 0;
  }

  text(key: string, fallback: string): string {
    return this.#section.entries.get(key)?.value ?? fallback;
  }

  /** Numbers with commas or blanks between them. */
  numbers(key: string): number[] {
    const { value } = this.#entry(key)!;
    const parts = value.split(/[\s,]+/).filter((part) => part !== '');
    if (parts.length === 0) this.fail(key, 'numbers');
    return parts.map((part) => this.#number(key, part));
  }

  /** The layers that layer `index` reads, as their numbers; negative ones in the file count from `index` backwards. */
  references(key: string, index: number): number[] {
    return this.numbers(key).map((at) => {
      const layer = at < 0 ? index + at : at;
      if (Number.isInteger(layer) && layer >= 0 && layer < index) return layer;
      return this.fail(key, `layers before this one, which is number ${index}`);
    });
  }

  /** One of the words that `known` has, as what it stands for. */
  word<T>(key: string, fallback: string, known: Readonly<Record<string, T>>): T {
    const word = this.text(key, fallback);
    if (Object.hasOwn(known, word)) return known[word];
    return this.fail(key, `one of ${Object.keys(known).join(', ')}`);
  }

  /** Throws: the option is not what it must be. */
  fail(key: string, expected: string): never {
    const { line, value } = this.#section.entries.get(key) ?? { line: this.line, value: 'none' };
    throw new FormatError(
      `line ${line}, section [${this.#section.name}]: expected ${key} to be ${expected}, found ${quote(value)}.`,
    );
  }

  #entry(key: string, fallback?: unknown): CfgEntry | undefined {
    const entry = this.#section.entries.get(key);
    if (!entry && fallback === undefined) {
      throw new FormatError(`line ${this.line}, section [${this.#section.name}]: the option "${key}" is missing.`);
    }
    return entry;
  }

  #number(key: string, text: string): number {
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
    return this.fail(key, 'a number');
  }
}
