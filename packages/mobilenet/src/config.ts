import type { BatchNorm2dOptions, CommonConfig, PaddingStyle } from '@convkit/core';

/** What every net of this package can be set to. */
export interface MobileNetConfig extends CommonConfig {
  /** Multiplies the channels of every layer; the products are rounded to multiples of 8. */
  width: number;
  /** `same` for weights that were trained with TensorFlow or Keras. */
  padding: PaddingStyle;
  /** `eps` and `momentum` of every batch normalisation. */
  norm: Required<Pick<BatchNorm2dOptions, 'eps' | 'momentum'>>;
  /** Rate of dropout before the last linear layer. */
  dropout: number;
}
