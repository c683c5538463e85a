/** COCO's category id of each of its 80 classes, in the order of `cocoClasses`; the ids run to 90, with gaps. */
export const cocoCategoryIds: readonly number[] = Array.from({ length: 90 }, (_, i) => i + 1).filter(
  (id) => ![12, 26, 29, 30, 45, 66, 68, 69, 71, 83].includes(id),
);

/** Names by which Darknet's coco.names calls COCO's classes. */
export const darknetClassNames: Readonly<Record<string, string>> = {
  motorbike: 'motorcycle',
  aeroplane: 'airplane',
  sofa: 'couch',
  pottedplant: 'potted plant',
  diningtable: 'dining table',
  tvmonitor: 'tv',
};

/**
 * The place of each class of `from` in `to`, −1 where it has none: a net's classes in those of a data set. Case does not count, and
 * Darknet's names are taken for COCO's.
 */
export function matchClasses(from: readonly string[], to: readonly string[]): readonly number[] {
  const places = new Map(to.map((name, i) => [canonical(name), i]));
  return from.map((name) => places.get(canonical(name)) ?? -1);
}

function canonical(name: string): string {
  const plain = name
    .trim()
    .toLowerCase()
    .replaceAll(/[_\s]+/g, ' ');
  return darknetClassNames[plain] ?? plain;
}
