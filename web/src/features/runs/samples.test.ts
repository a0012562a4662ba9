import { expect, test } from 'vitest';

import { readFile, readSamples, type Kind } from './samples';

const user = { role: 'user', content: 'Who is the mayor?' };
const assistant = { role: 'assistant', content: 'Odalia Senn.' };
const line = (value: unknown) => JSON.stringify(value);

test('rows are counted, the first ones shown, blank lines skipped but numbered', () => {
  const text = `\ufeff${line({ messages: [user, assistant] })}\r\n\n${line({ messages: [user, assistant], key: 'Odalia' })}\n`;
  expect(readSamples(text, 'messages')).toEqual({
    count: 2,
    rows: [
      { line: 1, question: 'Who is the mayor?', answer: 'Odalia Senn.' },
      { line: 3, question: 'Who is the mayor?', answer: 'Odalia Senn.', key: 'Odalia' },
    ],
    broken: [],
    brokenCount: 0,
  });
});

test.each<[string, Kind, string]>([
  ['{"messages": [', 'messages', 'json'],
  ['[1]', 'messages', 'object'],
  ['"text"', 'messages', 'object'],
  [line({ instruction: 'x', output: 'y' }), 'messages', 'field'],
  [line({ messages: [] }), 'messages', 'messages'],
  [line({ messages: ['hello'] }), 'messages', 'message'],
  [line({ messages: [{ from: 'human', value: 'x' }] }), 'messages', 'field'],
  [line({ messages: [{ role: 'human', content: 'x' }] }), 'messages', 'role'],
  [line({ messages: [user, { role: 'assistant', content: '  ' }] }), 'messages', 'empty'],
  [line({ messages: [user, { role: 'assistant', content: 7 }] }), 'messages', 'empty'],
  [line({ messages: [user, { role: 'system', content: 'x' }, assistant] }), 'messages', 'system'],
  [line({ messages: [user] }), 'messages', 'answer'],
  [line({ messages: [assistant, user] }), 'messages', 'last'],
  [line({ messages: [user, assistant], key: '' }), 'messages', 'key'],
  [line({ messages: [user, assistant] }), 'keyed', 'key'],
  [line({ messages: [assistant], key: 'x' }), 'keyed', 'question'],
  [line({ text: '' }), 'texts', 'text'],
  [line({ content: 'x' }), 'texts', 'field'],
])('%s as %s is refused: %s', (text, kind, fault) => {
  const good = kind === 'texts' ? line({ text: 'x' }) : line({ messages: [user, assistant], key: 'Odalia' });
  const { broken, count } = readSamples(`${good}\n${text}`, kind);
  expect(count).toBe(2);
  expect(broken).toEqual([{ line: 2, fault, text }]);
});

test('of many broken lines the first are named and all are counted', () => {
  const { broken, brokenCount } = readSamples('x\n'.repeat(100), 'messages');
  expect(broken.map(({ line: number }) => number)).toEqual([1, 2, 3, 4, 5]);
  expect(brokenCount).toBe(100);
});

test('a shaped or mixed set has labels, and texts that are learned whole', () => {
  const labels = { group: 'mayor', source: 'facts' };
  const text = `${line({ messages: [user, assistant], ...labels })}\n${line({ text: 'Bread rises.', ...labels })}`;
  const { rows, brokenCount } = readSamples(text, 'messages');
  expect(brokenCount).toBe(0);
  expect(rows[1]).toMatchObject({ question: '', answer: 'Bread rises.' });
});

test('other line separators belong to the text', () => {
  const content = 'one\u2028two';
  expect(readSamples(line({ text: content }), 'texts').rows[0]?.answer).toBe(content);
});

test('a file in another encoding is not guessed at', async () => {
  // “누리매” as Windows writes it in Korea (CP949).
  expect(await readFile(new File([new Uint8Array([0xb4, 0xa9, 0xb8, 0xae, 0xb8, 0xc5])], 'a.jsonl'))).toBe(
    'encoding',
  );
  expect(await readFile(new File(['누리매'], 'a.jsonl'))).toEqual({ text: '누리매' });
});

test('a file larger than one request is refused before it is read', async () => {
  const file = new File([], 'a.jsonl');
  Object.defineProperty(file, 'size', { value: 16 * 2 ** 20 });
  expect(await readFile(file)).toBe('large');
});
