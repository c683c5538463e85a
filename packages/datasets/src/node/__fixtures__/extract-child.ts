import { extractCifar10 } from '../cifar-archive.js';

// argv: archive, target, records per file. Says when it begins and when it has ended.
console.log('begin');
await extractCifar10(process.argv[2], process.argv[3], Number(process.argv[4]));
console.log('end');
