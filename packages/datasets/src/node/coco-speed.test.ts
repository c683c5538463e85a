// Prints the figures of the README. CONVKIT_COCO_MB=450 makes the file as large as COCO's own largest.
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random, cocoClasses } from '@convkit/core';
import { averagePrecision } from '@convkit/core/detection';
import type { Box } from '@convkit/core/detection';
import { expect, onTestFinished, test } from 'vitest';
import { cocoCategoryIds } from '../detection/coco-classes.js';
import { readCocoFile } from './coco-file.js';

const megabytes = Number(process.env['CONVKIT_COCO_MB'] ?? 20);
const random = new Random(1);
const peakMegabytes = (): number => process.resourceUsage().maxRSS / 1024;
/** Seconds of the processor, which other work on the machine changes less than those of the clock. */
function seconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/** A file like instances_train2017.json, with outlines of 8 to 60 points. */
function writeInstances(path: string): number {
  const numImages = 250 * megabytes;
  const categories = cocoCategoryIds.map((id, i) => ({ id, name: cocoClasses[i] }));
  const images = Array.from({ length: numImages }, (_, i) => ({ id: i + 1, file_name: `${i + 1}.jpg`, width: 640, height: 480 }));
  const outlines = Array.from({ length: 1000 }, () => [
    Array.from({ length: 2 * (8 + random.int(53)) }, () => random.int(48_000) / 100),
  ]);
  const file = openSync(path, 'w');
  let written = writeSync(file, JSON.stringify({ categories, images }).slice(0, -1) + ', "annotations": [');
  let id = 0;
  while (written < megabytes * 1e6) {
    const lines = Array.from({ length: 1000 }, () => {
      const place = {
        image_id: 1 + random.int(numImages),
        category_id: cocoCategoryIds[random.int(80)],
        bbox: [10.5, 20.25, 99.5, 80.75],
      };
      return JSON.stringify({ segmentation: outlines[random.int(1000)], area: 1234.5, iscrowd: 0, ...place, id: ++id });
    });
    written += writeSync(file, (id === 1000 ? '' : ', ') + lines.join(', '));
  }
  writeSync(file, ']}');
  closeSync(file);
  return id;
}

test('annotations are read piece by piece, in about the memory that their numbers need', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'convkit-coco-speed-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'instances.json');
  const annotations = writeInstances(path);
  const before = peakMegabytes();
  const start = process.cpuUsage();
  const annotated = await readCocoFile(path);
  const used = seconds(start);
  const size = statSync(path).size / 1e6;
  console.log(
    `${size.toFixed(0)} MB, ${annotations} annotations: ${used.toFixed(1)} s of the processor, ${(peakMegabytes() - before).toFixed(0)} MB beside the ${before.toFixed(0)} MB before`,
  );
  expect(annotated.images.reduce((count, _, i) => count + annotated.objects(i).length, 0)).toBe(annotations);
  expect(used).toBeLessThan(3 + size / 5);
  expect(peakMegabytes() - before).toBeLessThan(200 + 2 * size);
});

test('5,000 images with 100 detections each are evaluated in seconds', () => {
  const box = (): Box => {
    const [x, y] = [random.uniform(0, 500), random.uniform(0, 400)];
    return [x, y, x + random.uniform(5, 200), y + random.uniform(5, 200)];
  };
  const moved = (of: Box): Box => {
    const [dx, dy] = [random.uniform(-8, 8), random.uniform(-8, 8)];
    return [of[0] + dx, of[1] + dy, of[2] + dx, of[3] + dy];
  };
  const images = Array.from({ length: 5000 }, (_, id) => {
    const objects = Array.from({ length: random.int(15) }, () => ({
      class: random.int(80),
      box: box(),
      crowd: random.uniform() < 0.02,
    }));
    const detections = Array.from({ length: 100 }, () => {
      const object = objects.length > 0 && random.uniform() < 0.3 ? objects[random.int(objects.length)] : undefined;
      return {
        class: object?.class ?? random.int(80),
        label: '',
        score: random.uniform(),
        box: object ? moved(object.box) : box(),
      };
    });
    return { id, objects, detections };
  });
  const start = process.cpuUsage();
  const evaluation = averagePrecision({ classes: cocoClasses });
  for (const { id, detections, objects } of images) evaluation.add(id, detections, objects);
  const { summary } = evaluation.result();
  const used = seconds(start);
  console.log(`5,000 × 100 detections, 80 classes: ${used.toFixed(1)} s of the processor`);
  expect(summary.ap50).toBeGreaterThan(0.05);
  expect(used).toBeLessThan(30);
});
