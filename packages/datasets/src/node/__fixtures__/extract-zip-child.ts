import { extractZipFolder } from '../coco-zip.js';

// argv: archive, target. Says when it begins and when it has ended.
console.log('begin');
await extractZipFolder(process.argv[2], process.argv[3], { folder: 'val2017', extension: '.jpg' });
console.log('end');
