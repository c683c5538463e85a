import { type Rewrite, giving } from './steps.js';

/** A product and the vector that is added to each of its rows, as one Gemm, which ONNX Runtime joins with the ReLU after it. */
export const biasInProduct: Rewrite = ({ node, inputs }, { source, readers }) => {
  if (node.op !== 'Add') return undefined;
  const [product, bias] = source(inputs[0])?.node.op === 'Gemm' ? inputs : [inputs[1], inputs[0]];
  const gemm = source(product);
  if (gemm?.node.op !== 'Gemm' || gemm.inputs.length > 2 || readers(product!) > 1) return undefined;
  const [sum] = node.outputs;
  if (bias!.dims.length !== 1 || bias!.dims[0] !== product!.dims[1]) return undefined;
  return [giving(sum, 'Gemm', [...gemm.inputs, bias], gemm.node.attributes)];
};
