/** Mean and deviation of ImageNet's colours, by which most published weights expect their images normalised. */
export const imagenetColours = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** Pixels from −1 to 1, as weights that come from TensorFlow expect them. */
export const symmetricColours = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
