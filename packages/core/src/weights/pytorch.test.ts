import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FormatError } from '../errors.js';
import { decodePyTorch } from './pytorch.js';
import { decodeSafetensors } from './safetensors.js';

const real = fileURLToPath(new URL('../../../../../shared/data/weights/', import.meta.url));

test.runIf(existsSync(real))('a published checkpoint of PyTorch 0.4 has the very bits of its safetensors twin', () => {
  const tensors = decodePyTorch(readFileSync(`${real}resnet20-12fca82f.th`));
  const twin = decodeSafetensors(readFileSync(`${real}cifar10_resnet20_akamaster.safetensors`)).tensors;
  const renamed = [...tensors].map(([name, tensor]) => [name.replace(/^module\./, ''), tensor] as const);
  expect(new Map(renamed)).toEqual(twin);
});

test.runIf(existsSync(real))('a pickled module is refused by the name of its class', () => {
  const bytes = readFileSync(`${real}yolov8n.pt`);
  expect(() => decodePyTorch(bytes)).toThrow(FormatError);
  expect(() => decodePyTorch(bytes)).toThrow(/refers to "ultralytics\.nn\.tasks\.DetectionModel"/);
});
