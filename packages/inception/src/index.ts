export { InceptionModule } from './inception-module.js';
export type { Branch, InceptionModuleOptions } from './inception-module.js';
export { BasicConv2d, Branches, ResidualBranches } from './blocks.js';
export type { BasicConv2dOptions, MakeConv, ResidualOptions } from './blocks.js';
export { GoogLeNet, GoogLeNetAux } from './googlenet.js';
export type { GoogLeNetConfig } from './googlenet.js';
export { InceptionV2 } from './inception-v2.js';
export type { InceptionV2Config } from './inception-v2.js';
export { InceptionAux, InceptionV3 } from './inception-v3.js';
export type { InceptionV3Config } from './inception-v3.js';
export { InceptionV4 } from './inception-v4.js';
export type { InceptionV4Config } from './inception-v4.js';
export { InceptionResNetV1 } from './inception-resnet-v1.js';
export type { InceptionResNetV1Config } from './inception-resnet-v1.js';
export { InceptionResNetV2 } from './inception-resnet-v2.js';
export type { InceptionResNetV2Config } from './inception-resnet-v2.js';
export {
  facenet,
  googlenet,
  googlenetAux,
  googlenetModules,
  inceptionResnetV1,
  inceptionResnetV2,
  inceptionV2,
  inceptionV3,
  inceptionV3NoAux,
  inceptionV4,
  models,
} from './variants.js';
