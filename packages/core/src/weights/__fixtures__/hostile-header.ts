import { MAX_HEADER_BYTES, decodeSafetensors } from '../safetensors.js';

/** A child process that decodes one file whose header is as long as allowed; prints the outcome, the time and the memory. */
const kinds: Readonly<Record<string, readonly [start: string, unit: string | ((i: number) => string)]>> = {
  'nested arrays': ['{"a":', '['],
  'nested objects': ['', '{"a":'],
  'a string without end': ['{"', 'x'],
  'a string of two-byte characters': ['{"', 'é'],
  backslashes: ['{"', '\\'],
  'escaped quotes': ['{"', '\\"'],
  'white space': ['{', ' '],
  dimensions: ['{"a":{"dtype":"U8","shape":[', '0,'],
  digits: ['{"a":{"dtype":"U8","shape":[', '1'],
  'repeated fields': ['{"a":{', '"dtype":"U8",'],
  metadata: ['{"__metadata__":{', (i) => `"${i}":"",`],
  tensors: ['{', (i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},`],
};
const [start, unit] = kinds[process.argv[2]];
const bytes = Buffer.alloc(8 + MAX_HEADER_BYTES, ' ');
bytes.writeBigUInt64LE(BigInt(MAX_HEADER_BYTES), 0);
let at = 8 + bytes.write(start, 8);
if (typeof unit === 'string') bytes.fill(unit, at, MAX_HEADER_BYTES);
else for (let i = 0; at < MAX_HEADER_BYTES - 100; i++) at += bytes.write(unit(i), at);
const before = process.memoryUsage().rss;
const begin = performance.now();
let outcome = 'decoded';
try {
  decodeSafetensors(bytes);
} catch (error) {
  outcome = (error as Error).name;
}
const ms = performance.now() - begin;
console.log(JSON.stringify({ outcome, ms, grownBytes: process.resourceUsage().maxRSS * 1024 - before }));
