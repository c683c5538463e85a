import { type StateDict, floatTensor } from '../../weights/host-tensor.js';
import { checkpointDirectory } from '../checkpoint-directory.js';

/** A child process that saves one checkpoint after the other, all of whose values are the number of the step. */
const [path] = process.argv.slice(2);
const store = checkpointDirectory(path, { onDamaged: (message) => console.log(`damaged ${message}`) });
const latest = await store.latest();
for (let step = Number(latest?.checkpoint.progress['step'] ?? 0) + 1; ; step++) {
  const filled: StateDict = new Map(['a', 'b', 'c'].map((name) => [name, floatTensor(new Float32Array(30_000).fill(step))]));
  const checkpoint = { model: filled, optimizer: filled, progress: { step } };
  await store.save(`step-${String(step).padStart(8, '0')}`, checkpoint);
  console.log(`saved ${step}`);
  if (step % 2 === 0) {
    await store.saveBest(`step-${String(step).padStart(8, '0')}`, checkpoint);
    console.log(`best ${step}`);
  }
}
