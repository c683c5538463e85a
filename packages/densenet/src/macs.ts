/** Multiply-adds of one image of the published size, by variant: what `summarize` counts. */
export const macs = {
  densenet121: 2_834_161_664,
  densenet161: 7_727_907_072,
  densenet169: 3_359_843_328,
  densenet201: 4_291_365_888,
  densenet40_k12: 264_812_928,
  densenet88_k12_bc: 115_830_528,
  densenet100_k12: 1_769_516_448,
  densenet100_k12_bc: 287_929_692,
  densenet190_k40_bc: 9_301_945_740,
  densenet250_k24_bc: 5_418_785_724,
} as const;
