import { expect, test } from 'vitest';
import { UsageError } from './errors.js';
import { findModel } from './model-packages.js';
import { temporaryFolder } from './spawn.test-util.js';

test('a model of a package that is not installed is wrong usage that says which one to install', async () => {
  const { path, remove } = temporaryFolder();
  try {
    await expect(findModel('yolov8n', [path])).rejects.toThrow(
      new UsageError("model 'yolov8n' is in a package that is not installed: npm install @convkit/yolo"),
    );
    await expect(findModel('vgg16', [path])).rejects.toThrow(/npm install @convkit\/vgg/);
  } finally {
    remove();
  }
});
