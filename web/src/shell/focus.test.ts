import { expect, it } from 'vitest';

import { isAnotherView } from './focus';

it.each([
  ['/', '/models', true],
  ['/models', '/models/starter', true],
  ['/admin', '/admin/keys', true],
  ['/chat', '/chat/0190', false],
  ['/chat/0190', '/chat/0191', false],
  ['/chat/0190', '/', true],
  ['/runs', '/runs', false],
])('from %s to %s is another view: %s', (from, to, another) => {
  expect(isAnotherView(from, to)).toBe(another);
});
