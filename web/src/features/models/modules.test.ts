import { expect, test } from 'vitest';

import { groupsOf, labelOf } from './modules';

const labels = (names: readonly string[]) => groupsOf(names).map(labelOf);

test('ends of names stay as they are', () => {
  expect(labels(['q_proj', 'v_proj'])).toEqual(['q_proj', 'v_proj']);
});

test('layers of one kind are told as series', () => {
  const names = [15, 16, 17, 20, 2].map((layer) => `model.layers.${layer}.mlp.down_proj`);
  expect(labels([...names, 'model.layers.3.self_attn.q_proj', 'lm_head'])).toEqual([
    'mlp.down_proj 2, 15–17, 20',
    'self_attn.q_proj 3',
    'lm_head',
  ]);
});
