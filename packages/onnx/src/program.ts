import type { DType, Node, Slot } from './graph.js';

/** A part of the recorded graph, in an order in which it can run. */
export interface Program {
  readonly nodes: readonly Node[];
  /** Slots with values of the host, each an input. */
  readonly leaves: readonly Slot[];
  readonly constants: readonly Slot[];
  readonly outputs: readonly Slot[];
  /** Equal for programs that differ in the values of their leaves only: each node, and where each of its inputs comes from. */
  readonly structure: Int32Array;
}

const types: Readonly<Record<DType, number>> = { float32: 0, int32: 1, bool: 2, int64: 3 };

let passes = 0;

/** Room for a structure, which grows with the longest; a step is collected anew each time. */
let room = new Int32Array(2 ** 14);

/** What has to run for these slots, and nothing else. */
export function collect(outputs: readonly Slot[]): Program {
  const pass = ++passes;
  const nodes = reachable(outputs, pass);
  const leaves: Slot[] = [];
  const constants: Slot[] = [];
  let numbers = 0;
  let length = 0;
  const write = (number: number): void => {
    if (length === room.length) {
      const larger = new Int32Array(2 * length);
      larger.set(room);
      room = larger;
    }
    room[length++] = number;
  };
  const enter = (slot: Slot): void => {
    slot.pass = pass;
    slot.number = numbers++;
    write(types[slot.dtype]);
    write(slot.dims.length);
    for (const size of slot.dims) write(size);
  };
  const read = (slot: Slot): void => {
    if (slot.pass === pass) return write(slot.number);
    write(numbers); // the next one: what it is comes after
    enter(slot);
    write(slot.signature);
    (slot.isConstant ? constants : leaves).push(slot);
  };
  for (const node of nodes) {
    for (const input of node.inputs) {
      if (input) read(input);
      else write(-1);
    }
    write(-2 - node.signature);
    for (const output of node.outputs) enter(output);
  }
  for (const output of outputs) read(output);
  return { nodes, leaves, constants, outputs, structure: room.slice(0, length) };
}

function reachable(outputs: readonly Slot[], pass: number): Node[] {
  const found: Node[] = [];
  const open: Node[] = [];
  const enter = (node: Node | undefined): void => {
    if (!node || node.pass === pass) return;
    node.pass = pass;
    found.push(node);
    open.push(node);
  };
  for (const { node } of outputs) enter(node);
  for (let node = open.pop(); node; node = open.pop()) for (const input of node.inputs) enter(input?.node);
  return found.sort((a, b) => a.id - b.id);
}

/** A text for a structure, the same for equal ones and hardly ever for others: 53 bits of its numbers (cyrb53). */
export function hash(structure: Int32Array): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (const number of structure) {
    a = Math.imul(a ^ number, 0x9e3779b1);
    b = Math.imul(b ^ number, 0x5f356495);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  return `${a >>> 0},${b >>> 0},${structure.length}`;
}
