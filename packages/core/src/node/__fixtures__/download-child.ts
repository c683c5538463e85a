import { download } from '../download.js';

/** A child process that downloads one file: url, destination, sha256 or ''. */
const [url, destination, sha256] = process.argv.slice(2);
console.log('started');
const { downloaded } = await download(url, destination, { ...(sha256 && { sha256 }), retryDelayMs: 5, stallTimeoutMs: 2000 });
console.log(`done ${downloaded}`);
