import { ArgumentError } from '@convkit/core';
import type { InferenceSession } from 'onnxruntime-node';

/** Where ONNX Runtime can compute. */
const devices = ['cpu', 'cuda'] as const;
export type Device = (typeof devices)[number];

/** The device that CONVKIT_ONNX_DEVICE in the environment names; without it the CPU. Throws ArgumentError for another name. */
export function device(): Device {
  const asked = process.env['CONVKIT_ONNX_DEVICE'] ?? 'cpu';
  const found = devices.find((name) => name === asked);
  if (!found) throw new ArgumentError(`Expected CONVKIT_ONNX_DEVICE to be one of ${devices.join(', ')}, found '${asked}'.`);
  return found;
}

/** What puts a session on the device; nodes that CUDA has no kernel for stay on the CPU. */
export function placement(): InferenceSession.SessionOptions {
  return device() === 'cpu' ? {} : { executionProviders: ['cuda', 'cpu'] };
}
