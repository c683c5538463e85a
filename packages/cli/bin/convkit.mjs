#!/usr/bin/env node
import { main } from '../dist/main.js';

process.exitCode = await main(process.argv.slice(2));
// A backend may hold handles open that nothing uses any more.
setTimeout(() => process.exit(), 1000).unref();
