// `node scripts/run.mjs <task> [turbo options]`: installs what is missing, then runs the task in every package that has it.
import { pnpm } from './pnpm.mjs';
import { setup } from './setup.mjs';

const [task, ...options] = process.argv.slice(2);
if (!task) {
  console.error('error: expected a task, such as: node scripts/run.mjs test');
  process.exit(2);
}
setup();
if (task === 'test:goldens') {
  process.env.CONVKIT_ALL_GOLDENS = '1'; // every reference model of ../shared/goldens, all values
  pnpm(['exec', 'turbo', 'run', 'test', '--concurrency=1', ...options]);
} else if (task === 'lint') {
  pnpm(['exec', 'eslint', '.']);
  pnpm(['exec', 'prettier', '--check', '.']);
} else {
  // vitest already runs a package's test files side by side: one package at a time keeps to the machine's cores
  const concurrency = task === 'test' ? ['--concurrency=1'] : [];
  pnpm(['exec', 'turbo', 'run', task, ...concurrency, ...options]);
}
