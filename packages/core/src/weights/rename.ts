import { ArgumentError } from '../errors.js';

/**
 * A rename function from rules `PATTERN=REPLACEMENT`, applied one after the other, each wherever it matches in a name. A pattern is a
 * JavaScript regular expression, `$1` in a replacement its first group; the last `=` parts the two, since no name holds one.
 *
 *     renameRules(['^module\\.=', '\\.gamma$=.weight'])('module.bn1.gamma')   // 'bn1.weight'
 *
 * Throws ArgumentError for a rule without `=` or whose pattern is no regular expression.
 */
export function renameRules(rules: readonly string[]): (name: string) => string {
  const steps = rules.map((rule) => {
    const split = rule.lastIndexOf('=');
    if (split < 1)
      throw new ArgumentError(`The rename rule ${JSON.stringify(rule)} is not PATTERN=REPLACEMENT, as '^module\\.='.`);
    try {
      return { pattern: new RegExp(rule.slice(0, split), 'g'), replacement: rule.slice(split + 1) };
    } catch (error) {
      throw new ArgumentError(`The rename rule ${JSON.stringify(rule)}: ${(error as Error).message}.`, { cause: error });
    }
  });
  return (name) => steps.reduce((current, { pattern, replacement }) => current.replace(pattern, replacement), name);
}
