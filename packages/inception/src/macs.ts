/** Multiply-adds of one image of the published size, by variant: what `summarize` counts. */
export const macs = {
  googlenet: 1_498_376_192,
  googlenet_aux: 1_498_376_192,
  inception_v2: 2_032_600_064,
  inception_v3: 5_713_216_096,
  inception_v3_no_aux: 5_713_216_096,
  inception_v4: 12_253_974_624,
  inception_resnet_v1: 6_308_597_856,
  inception_resnet_v2: 13_155_794_016,
} as const;
