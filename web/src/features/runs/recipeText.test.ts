import { expect, test } from 'vitest';

import { recipeText, sweepText } from './recipeText';
import { named } from './sweep';

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

test('what is swept over is written as the command line reads it, in words where they say it all', () => {
  const rows = [
    [{ train: false }, { train: false }],
    [{}, { rank: 4 }],
    [{}, {}],
  ];
  expect(sweepText({ seeds: '0, 1', boards: [named('위쪽', rows)] })).toBe(
    'seeds: [0, 1]\nboards:\n  "위쪽": [freeze, [train, {"rank":4}], train]\n',
  );
});
