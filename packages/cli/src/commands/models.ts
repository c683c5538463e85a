import { inputSize, locationText } from '@convkit/core';
import { count, percent, scaled, table } from '../format.js';
import { type AnyModelFactory, installedModels } from '../model-packages.js';
import type { CommonOptions } from '../options.js';
import { Output } from '../output.js';

export async function runModels(options: CommonOptions): Promise<void> {
  const output = new Output(options.json);
  const models = (await installedModels()).map(describe);
  if (models.length === 0) output.print('No architecture package is installed; for example: npm install @convkit/resnet');
  else
    output.print(
      table(
        ['model', 'task', 'package', 'parameters', 'MACs', 'input', 'classes', 'weights named as', 'published weights: top-1'],
        models.map((m) => [
          m.name,
          m.task,
          m.package,
          count(m.parameters),
          m.macs === undefined ? '' : scaled(m.macs),
          m.input.join('×'),
          String(m.classes),
          m.reference,
          published(m),
        ]),
      ),
    );
  output.result({ models });
}

function describe(factory: AnyModelFactory) {
  const { name, package: from, task = 'classify', preprocessing, dataset, reference, macs } = factory.info;
  const model = factory(); // has no weights yet: this costs nothing
  const parameters = [...model.parameters()].reduce((sum, [, parameter]) => sum + parameter.size, 0);
  const weights = Object.entries(factory.info.weights ?? {}).map(([tag, { location, top1, top5, licence }]) => ({
    ...{ tag, source: locationText(location), top1, top5, licence },
  }));
  const classes = model.classes.length;
  return { name, package: from, task, parameters, macs, input: inputSize(preprocessing), classes, dataset, reference, weights };
}

const published = ({ weights }: ReturnType<typeof describe>): string =>
  weights.map(({ tag, top1 }) => (top1 === undefined ? tag : `${tag} ${percent(top1)}`)).join(', ');
