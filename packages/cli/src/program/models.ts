import type { Command } from 'commander';
import { type CommonOptions, addCommonOptions } from '../options.js';
import { examples } from './shared.js';

export function addModels(program: Command): void {
  addCommonOptions(program.command('models').description('list every variant of the installed architecture packages'))
    .addHelpText('after', examples('convkit models', 'convkit models --json'))
    .action(async (options: CommonOptions) => (await import('../commands/models.js')).runModels(options));
}
