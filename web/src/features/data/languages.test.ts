import { expect, test } from 'vitest';

import { languageNames } from './languages';

test('a language is called as the reader calls it', () => {
  expect(languageNames('en')('ko')).toBe('Korean');
  expect(languageNames('ko')('en')).toBe('영어');
});

test('what is no code of a language is shown as it is', () => {
  expect(languageNames('en')('"><img src=x>')).toBe('"><img src=x>');
});
