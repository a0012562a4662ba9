import hooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import typescript from 'typescript-eslint';

const features = ['home', 'chat', 'documents', 'rag', 'models', 'runs', 'data', 'admin'];

export default defineConfig(
  { ignores: ['src/client/schema.d.ts', 'node_modules'] },
  typescript.configs.recommended,
  hooks.configs.flat.recommended,
  {
    rules: {
      'max-lines': ['error', { max: 250 }],
      'no-console': 'error',
      // Virtual lists measure while they render: the compiler leaves such a component alone, which is right.
      'react-hooks/incompatible-library': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  // A feature uses what all share, never another feature.
  ...features.map((feature) => ({
    files: [`src/features/${feature}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: features.filter((other) => other !== feature).map((other) => `**/features/${other}/**`) },
      ],
    },
  })),
);
