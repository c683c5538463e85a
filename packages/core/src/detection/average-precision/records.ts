import type { Outcome } from './match.js';

/** Position of an image when all are in the order of their ids. */
type Places = ReadonlyMap<string | number, number>;

/** What is kept of one class over all images: some numbers for each detection. */
export class Records {
  readonly images: (string | number)[] = [];
  readonly scores: number[] = [];
  /** Which detection of its image and class it is, the best first. */
  readonly ranks: number[] = [];
  /** outcomes[area][i], both bit sets of `Outcome` in one number: found, and 16 bits above, ignored. */
  readonly outcomes: readonly number[][];
  /** Objects to find, for each area range. */
  readonly objects: number[];

  constructor(areas: number) {
    this.outcomes = Array.from({ length: areas }, () => []);
    this.objects = new Array<number>(areas).fill(0);
  }

  add(image: string | number, scores: readonly number[], outcomes: readonly (readonly Outcome[])[]): void {
    scores.forEach((score, rank) => {
      this.images.push(image);
      this.scores.push(score);
      this.ranks.push(rank);
      outcomes.forEach((range, a) => this.outcomes[a].push(range[rank].found | (range[rank].ignored << 16)));
    });
  }

  /** Indices of the detections, the highest score first; equal scores in the order of image ids. */
  order(places: Places): Uint32Array {
    const place = Float64Array.from(this.images, (image) => places.get(image) ?? 0);
    const { scores, ranks } = this;
    return Uint32Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || place[a] - place[b] || ranks[a] - ranks[b]);
  }

  /** Scores and successes of the detections that count at threshold `t`, of the best `most` of each image. */
  counted(order: Uint32Array, area: number, t: number, most: number): { found: boolean[]; scores: number[] } {
    const [found, scores]: [boolean[], number[]] = [[], []];
    const outcomes = this.outcomes[area];
    for (const i of order) {
      if (this.ranks[i] >= most || (outcomes[i] >> (16 + t)) & 1) continue;
      found.push(((outcomes[i] >> t) & 1) === 1);
      scores.push(this.scores[i]);
    }
    return { found, scores };
  }
}
