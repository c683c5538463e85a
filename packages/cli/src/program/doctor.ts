import type { Command } from 'commander';
import { type CommonOptions, addCommonOptions } from '../options.js';
import { examples } from './shared.js';

export function addDoctor(program: Command): void {
  addCommonOptions(program.command('doctor').description('which backends can be used here, why, and what to do about the others'))
    .addHelpText('after', examples('convkit doctor', 'convkit doctor --json'))
    .action(async (options: CommonOptions) => (await import('../commands/doctor.js')).runDoctor(options));
}
