/** Pairs of keypoints, by their index, that a line connects. */
export type Skeleton = readonly (readonly [from: number, to: number])[];

/** The joints of a person in COCO's order. */
export const personKeypoints = [
  'nose',
  'left eye',
  'right eye',
  'left ear',
  'right ear',
  'left shoulder',
  'right shoulder',
  'left elbow',
  'right elbow',
  'left wrist',
  'right wrist',
  'left hip',
  'right hip',
  'left knee',
  'right knee',
  'left ankle',
  'right ankle',
] as const;

type Joint = (typeof personKeypoints)[number];

const bones: readonly (readonly [Joint, Joint])[] = [
  ['left ear', 'left eye'],
  ['left eye', 'nose'],
  ['nose', 'right eye'],
  ['right eye', 'right ear'],
  ['left shoulder', 'right shoulder'],
  ['left shoulder', 'left elbow'],
  ['left elbow', 'left wrist'],
  ['right shoulder', 'right elbow'],
  ['right elbow', 'right wrist'],
  ['left shoulder', 'left hip'],
  ['right shoulder', 'right hip'],
  ['left hip', 'right hip'],
  ['left hip', 'left knee'],
  ['left knee', 'left ankle'],
  ['right hip', 'right knee'],
  ['right knee', 'right ankle'],
];

/** The lines of COCO's person. */
export const personSkeleton: Skeleton = bones.map(([from, to]) => [personKeypoints.indexOf(from), personKeypoints.indexOf(to)]);
