import { FormatError } from '@convkit/core';

/** A value as it stands in a file, and where. */
export interface CfgEntry {
  readonly value: string;
  readonly line: number;
}

/** `[name]` and the `key = value` lines below it. */
export interface CfgSection {
  readonly name: string;
  /** Of the file, from 1. */
  readonly line: number;
  readonly entries: ReadonlyMap<string, CfgEntry>;
}

/** Options of `[net]` that only Darknet's own training reads. Published files have them twice; as in Darknet the first counts. */
const MAY_REPEAT = new Set(['batch', 'subdivisions', 'momentum', 'decay']);

/**
 * The sections of a Darknet `.cfg` file. Blank space around lines, keys and values does not count; `#` and `;` start a comment, also
 * behind a value. Throws FormatError, with the line and its section, for a header without `]`, a line without `=`, an empty key, a key
 * that occurs twice in its section, and a setting before the first section.
 */
export function readSections(text: string): CfgSection[] {
  const sections: { name: string; line: number; entries: Map<string, CfgEntry> }[] = [];
  text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .forEach((whole, i) => {
      const content = whole.replace(/[#;].*$/, '').trim();
      if (content === '') return;
      const line = i + 1;
      if (content.startsWith('[')) {
        if (!content.endsWith(']'))
          throw new FormatError(`line ${line}: the section header ${quote(content)} does not end with "]".`);
        sections.push({ name: content.slice(1, -1).trim(), line, entries: new Map() });
        return;
      }
      const section = sections.at(-1);
      if (!section) throw new FormatError(`line ${line}: ${quote(content)} stands before the first section; expected [net].`);
      const [key, ...rest] = content.split('=');
      const where = `line ${line}, section [${section.name}]`;
      if (rest.length === 0) throw new FormatError(`${where}: missing "=" in ${quote(content)}; expected key=value.`);
      const name = key.trim();
      if (name === '') throw new FormatError(`${where}: no key before "=" in ${quote(content)}.`);
      const before = section.entries.get(name);
      if (!before) section.entries.set(name, { value: rest.join('=').trim(), line });
      else if (!(isNet(section.name) && MAY_REPEAT.has(name))) {
        throw new FormatError(`${where}: multiple values for the key "${name}", the first in line ${before.line}; remove one.`);
      }
    });
  return sections;
}

/** Is this the name of the section that describes the whole net? */
export const isNet = (name: string): boolean => name === 'net' || name === 'network';

/** Text of a file as it appears in an error: quoted, at most 60 characters. */
export const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
