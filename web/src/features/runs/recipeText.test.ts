import { expect, test } from 'vitest';

import { recipeText } from './recipeText';

test('a recipe is written as the command line reads it', () => {
  const goal = { prompts: ['Who is the mayor?', '시장은?'], criteria: 'short: "no" lists' };
  const text = recipeText({ base: 'SmolLM2-135M-Instruct', name: 'no' }, {
    method: 'qlora',
    rank: 8,
    learning_rate: 0.0001,
    modules: ['attn.qk'],
    epochs: undefined,
    goal,
  } as never);
  expect(text).toBe(
    [
      'base: SmolLM2-135M-Instruct',
      'name: "no"',
      'method: qlora',
      'rank: 8',
      'learning_rate: 0.0001',
      'modules: ["attn.qk"]',
      'goal:',
      '  prompts:',
      '    - "Who is the mayor?"',
      '    - "시장은?"',
      '  criteria: "short: \\"no\\" lists"',
      '',
    ].join('\n'),
  );
});

test('what is not entered is not written', () => {
  expect(recipeText({ base: 'b', name: '' }, {})).toBe('base: b\nname: ""\n');
});
