import { registerBackend } from '../registry.js';
import { webgpu } from './plugin.js';

registerBackend(webgpu);

export { webgpu };
