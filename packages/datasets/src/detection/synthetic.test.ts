import { expect, test } from 'vitest';
import { syntheticDetection } from './synthetic.js';

test('an image depends on seed, split and index alone, and has one to five objects inside of it', async () => {
  const data = syntheticDetection({ size: 30, side: 96 });
  const again = syntheticDetection({ size: 8, side: 96 });
  const other = syntheticDetection({ size: 8, side: 96, split: 'test' });
  expect((await again.load(7)).image.pixels).toEqual((await data.load(7)).image.pixels);
  expect((await other.load(7)).image.pixels).not.toEqual((await data.load(7)).image.pixels);
  for (let i = 0; i < data.length; i++) {
    const { objects, image } = await data.load(i);
    expect(objects.length >= 1 && objects.length <= 5).toBe(true);
    expect([image.width, image.height]).toEqual([96, 96]);
    for (const { box, segmentation } of objects) {
      expect(Math.min(...box)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...box)).toBeLessThanOrEqual(96);
      expect(Math.min(box[2] - box[0], box[3] - box[1])).toBeGreaterThan(8);
      const points = (segmentation as number[][])[0];
      expect(Math.max(...points.filter((_, at) => at % 2 === 0))).toBeCloseTo(box[2], 9);
    }
  }
});

test('every class occurs', async () => {
  const data = syntheticDetection({ size: 40 });
  const counts = [0, 0, 0];
  for (let i = 0; i < data.length; i++) for (const object of (await data.load(i)).objects) counts[object.class]++;
  expect(Math.min(...counts)).toBeGreaterThan(20);
});

test('sizes out of range are refused', () => {
  expect(() => syntheticDetection({ size: 0 })).toThrow('expected a size of at least 1 image, found 0');
  expect(() => syntheticDetection({ side: 8 })).toThrow('expected a side of at least 32 pixels, found 8');
});
