/** Every error that convkit throws on purpose: one line that says what was expected, what was found and what to do. */
export class ConvkitError extends Error {
  override readonly name: string = 'ConvkitError';
}

/** An argument or option has a value that cannot work. */
export class ArgumentError extends ConvkitError {
  override readonly name = 'ArgumentError';
}

/** A tensor's shape is not the one that a layer needs. */
export class ShapeError extends ConvkitError {
  override readonly name = 'ShapeError';
}

/** A weight file, checkpoint, archive or image is broken, or is not what it was taken for. */
export class FormatError extends ConvkitError {
  override readonly name = 'FormatError';
}

/** A backend that was asked for cannot be used on this machine. */
export class BackendError extends ConvkitError {
  override readonly name = 'BackendError';
}
