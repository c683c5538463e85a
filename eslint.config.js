import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const noMathRandom = {
  object: 'Math',
  property: 'random',
  message: 'Take a seeded stream instead (Random in @convkit/core): the same seed must give the same run.',
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/__fixtures__/**', 'runs/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true, allowArray: true }], // shapes in errors
      '@typescript-eslint/no-base-to-string': 'off', // String(unknown) in the text of an error
      '@typescript-eslint/require-await': 'off', // an async method may satisfy an interface without waiting
      '@typescript-eslint/no-meaningless-void-operator': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: globals.node },
  },
  { rules: { 'no-restricted-properties': ['error', noMathRandom] } },
  {
    // one file of core owns memory: model files only combine layers; losses compute with tensors, which the gradient step frees
    files: ['packages/{vgg,resnet,inception,densenet,efficientnet,mobilenet,yolo}/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/*.test-util.ts', '**/*.bench.ts', 'packages/yolo/src/train/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { name: '@tensorflow/tfjs-core', allowTypeImports: true, message: 'Use the layers and functions of @convkit/core.' },
      ],
    },
  },
);
