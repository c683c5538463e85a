import { inputSize } from '@convkit/core';
import { count, table } from '../format.js';
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
        ['model', 'package', 'parameters', 'input', 'classes', 'designed for', 'weights named as'],
        models.map((m) => [m.name, m.package, count(m.parameters), m.input.join('×'), String(m.classes), m.dataset, m.reference]),
      ),
    );
  output.result({ models });
}

function describe(factory: AnyModelFactory) {
  const { name, package: from, preprocessing, dataset, reference } = factory.info;
  const model = factory(); // has no weights yet: this costs nothing
  const parameters = [...model.parameters()].reduce((sum, [, parameter]) => sum + parameter.size, 0);
  return { name, package: from, parameters, input: inputSize(preprocessing), classes: model.classes.length, dataset, reference };
}
