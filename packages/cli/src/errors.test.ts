import { FormatError } from '@convkit/core';
import { expect, test } from 'vitest';
import { UsageError, closest, describeError } from './errors.js';

test('the nearest names are suggested, none if nothing is near', () => {
  expect(closest('resnet21', ['resnet20', 'vgg16', 'resnet101'])[0]).toBe('resnet20');
  expect(closest('efficientnet', ['resnet20', 'vgg16'])).toEqual([]);
});

test('errors on purpose are one line; others say where to look', () => {
  expect(describeError(new FormatError('a\n  b'))).toBe('a b');
  expect(describeError(new UsageError('x'))).toBe('x');
  expect(describeError(new TypeError('y is not a function'))).toMatch(/^y is not a function \(set CONVKIT_DEBUG=1/);
  class ConvkitError extends Error {}
  expect(describeError(new ConvkitError('of another copy of core'))).toBe('of another copy of core');
});
