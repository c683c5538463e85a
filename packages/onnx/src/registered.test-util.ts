import { registerOnnx } from './index.js';

// Set-up of test runs that name this backend in CONVKIT_BACKEND(S): see vitest.config.ts at the root.
registerOnnx();
