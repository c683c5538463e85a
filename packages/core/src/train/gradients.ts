// tfjs-core first: its gradients are a second copy of its modules, which joins the engine that is there already.
import '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
