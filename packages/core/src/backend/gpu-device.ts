import { host } from './host.js';

/** Linux without a graphics device, as most servers are: starting Vulkan there only finds software, and prints warnings. */
export function noGpuDevice(): string | undefined {
  if (host?.platform !== 'linux') return undefined;
  const exists = host.fs.existsSync;
  const chosen = process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES'];
  if (chosen || ['/dev/dri', '/dev/nvidia0', '/dev/dxg', '/dev/mali0'].some((node) => exists(node))) return undefined;
  return 'this machine has no GPU';
}
