import { host } from '../host.js';

/** The parts of WebGPU's interface that are used here; the published types differ between the packages that need them. */
export interface Adapter {
  readonly features: ReadonlySet<string>;
  readonly limits: Readonly<Record<string, number>>;
  readonly info?: AdapterInfo;
  requestDevice(descriptor: object): Promise<GPUDeviceLike>;
}

export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

export interface GPUDeviceLike {
  readonly lost: Promise<{ readonly message: string }>;
  destroy(): void;
}

interface Gpu {
  requestAdapter(options?: object): Promise<Adapter | null>;
}

let dawn: Gpu | undefined;

/** The browser's `navigator.gpu`; in Node, Dawn from the npm package `webgpu`, put in the place where a browser has it. */
export async function findGpu(): Promise<Gpu | undefined> {
  const scope = globalThis as { navigator?: { gpu?: Gpu } };
  if (scope.navigator?.gpu || !host) return scope.navigator?.gpu;
  const file = host.resolve('webgpu');
  if (file === undefined) return undefined;
  if (!dawn) {
    const { create, globals } = (await host.importFile(file)) as { create: (flags: string[]) => Gpu; globals: object };
    Object.assign(globalThis, globals);
    // Kept for the life of the process: Dawn's adapters do not outlive it.
    dawn = create([]);
  }
  if (!scope.navigator) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true, writable: true });
  Object.defineProperty(scope.navigator, 'gpu', { value: dawn, configurable: true });
  return dawn;
}

export async function findAdapter(): Promise<Adapter | undefined> {
  const gpu = await findGpu();
  return (await gpu?.requestAdapter({ powerPreference: 'high-performance' })) ?? undefined;
}

/** A CPU that plays the GPU: right results, a hundred times slower. */
export function isSoftware(adapter: Adapter): boolean {
  const { info } = adapter;
  if (!info) return false;
  const text = [info.vendor, info.architecture, info.device, info.description].join(' ');
  return info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render|warp/i.test(text);
}

export function adapterName(adapter: Adapter): string {
  const { info } = adapter;
  const name = info?.description || info?.device || [info?.vendor, info?.architecture].filter(Boolean).join(' ');
  return name || 'unnamed GPU';
}

/** The limits that tfjs' kernels are sized by; a device gets WebGPU's small defaults for those not asked for. */
const limits = [
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeInvocationsPerWorkgroup',
];

/** tfjs 4.22 asks for features in a malformed list and so gets no device from present browsers. */
export function requestDevice(adapter: Adapter): Promise<GPUDeviceLike> {
  return adapter.requestDevice({
    requiredFeatures: ['timestamp-query', 'bgra8unorm-storage'].filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
}
