import {
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
  engine,
  getBackend,
  getGradient,
  getKernel,
  registerGradient,
  registerKernel,
  tidy,
} from '@tensorflow/tfjs-core';

/**
 * An op of convkit: a tfjs kernel composed of tfjs ops, with a gradient of its own.
 *
 * The composition runs on every backend. A backend that can do better registers a kernel under the op's name, with the
 * same inputs, attributes and outputs. Inside of an op nothing is taped: the tape keeps what `save` names and nothing else.
 * A gradient is a record of functions, so that the gradients nobody asks for (of the image, of a frozen weight) cost nothing.
 */
export interface OpDefinition<Input extends string, Attrs> {
  readonly name: string;
  forward(inputs: Readonly<Record<Input, Tensor>>, attrs: Attrs): Tensor[];
  /** What the gradient needs: inputs by name, then outputs by position. */
  readonly save?: { readonly inputs?: readonly Input[]; readonly outputs?: readonly boolean[] };
  /** Absent: the op is itself part of a gradient. */
  gradient?(dys: readonly Tensor[], saved: readonly Tensor[], attrs: Attrs): Record<Input, () => Tensor>;
}

export type Op<Input extends string, Attrs> = (inputs: Readonly<Record<Input, Tensor>>, attrs: Attrs) => Tensor[];

/** Makes an op callable. Registration happens at the first call on each backend, so that importing has no side effect. */
export function defineOp<Input extends string, Attrs>(definition: OpDefinition<Input, Attrs>): Op<Input, Attrs> {
  const kernelName = `Convkit${definition.name}`;
  return (inputs, attrs) => {
    const backendName = getBackend();
    if (!getKernel(kernelName, backendName)) {
      const kernelFunc = (call: { inputs: NamedTensorMap; attrs?: NamedAttrMap }) =>
        tidy(() => definition.forward(call.inputs as Record<Input, Tensor>, call.attrs as unknown as Attrs));
      registerKernel({ kernelName, backendName, kernelFunc: kernelFunc as unknown as KernelFunc });
    }
    if (definition.gradient && !getGradient(kernelName)) {
      const gradFunc = (dy: Tensor | Tensor[], saved: Tensor[], attrMap: NamedAttrMap) =>
        definition.gradient!(Array.isArray(dy) ? dy : [dy], saved, attrMap as unknown as Attrs);
      registerGradient({
        kernelName,
        inputsToSave: [...(definition.save?.inputs ?? [])],
        outputsToSave: [...(definition.save?.outputs ?? [])],
        gradFunc: gradFunc,
      });
    }
    const result = engine().runKernel(kernelName, inputs, attrs as unknown as NamedAttrMap);
    return Array.isArray(result) ? result : [result];
  };
}

/** Runs a kernel of tfjs that has no function of its own in tfjs-core. */
export function runKernel(name: string, inputs: Record<string, Tensor>, attrs: object): Tensor {
  return engine().runKernel<Tensor>(name, inputs, attrs as NamedAttrMap);
}

/** Does the current backend have this kernel? */
export function hasKernel(name: string): boolean {
  return getKernel(name, getBackend()) !== undefined;
}
