import { IGNORED } from './match.js';

/** Position of an image when all are in the order of their ids. */
type Places = ReadonlyMap<string | number, number>;

/** What is kept of one class over all images: some numbers for each detection. */
export class Records {
  readonly images: (string | number)[] = [];
  readonly scores: number[] = [];
  /** Which detection of its image and class it is, the best first. */
  readonly ranks: number[] = [];
  /** outcomes[area][i], as `match` gives them. */
  readonly outcomes: readonly number[][];
  /** Objects to find, for each area range. */
  readonly objects: number[];

  constructor(areas: number) {
    this.outcomes = Array.from({ length: areas }, () => []);
    this.objects = new Array<number>(areas).fill(0);
  }

  add(image: string | number, scores: readonly number[], outcomes: readonly Uint32Array[]): void {
    scores.forEach((score, rank) => {
      this.images.push(image);
      this.scores.push(score);
      this.ranks.push(rank);
      outcomes.forEach((range, a) => this.outcomes[a].push(range[rank]));
    });
  }

  /** The detections, the highest score first; equal scores in the order of image ids. */
  sorted(places: Places): SortedRecords {
    const place = Float64Array.from(this.images, (image) => places.get(image) ?? 0);
    const { scores, ranks } = this;
    const order = Uint32Array.from(scores.keys()).sort(
      (a, b) => scores[b] - scores[a] || place[a] - place[b] || ranks[a] - ranks[b],
    );
    return {
      scores: Float64Array.from(order, (i) => scores[i]),
      ranks: Uint32Array.from(order, (i) => ranks[i]),
      outcomes: this.outcomes.map((values) => Uint32Array.from(order, (i) => values[i])),
    };
  }
}

/** Numbers of the detections of a class, in the order of their scores. */
export interface SortedRecords {
  readonly scores: Float64Array;
  readonly ranks: Uint32Array;
  /** For each area range */
  readonly outcomes: readonly Uint32Array[];
}

/** Of the best `most` of each image those that count at threshold `t`: whether they found an object (1 or 0), and their scores. */
export function counted(
  { scores, ranks, outcomes }: SortedRecords,
  area: number,
  t: number,
  most: number,
): { found: Uint8Array; scores: Float64Array } {
  const found = new Uint8Array(scores.length);
  const counting = new Float64Array(scores.length);
  const bits = outcomes[area];
  let n = 0;
  for (let i = 0; i < scores.length; i++) {
    if (ranks[i] >= most || (bits[i] >> (IGNORED + t)) & 1) continue;
    found[n] = (bits[i] >> t) & 1;
    counting[n++] = scores[i];
  }
  return { found: found.subarray(0, n), scores: counting.subarray(0, n) };
}
