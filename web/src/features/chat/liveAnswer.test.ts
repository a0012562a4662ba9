import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { LiveAnswer } from './liveAnswer';

beforeEach(() => void vi.useFakeTimers({ toFake: ['requestAnimationFrame', 'cancelAnimationFrame'] }));
afterEach(() => void vi.useRealTimers());

const choice = { variant: null, gain: null, temperature: null, system: null, documents: null, form: null };

it('grows once a frame, however many tokens come', () => {
  const answer = new LiveAnswer(choice);
  const seen: string[] = [];
  answer.subscribe(() => seen.push(answer.get().text));
  for (const token of ['a', 'b', 'c']) answer.add(token);
  expect(seen).toEqual([]);
  vi.advanceTimersToNextFrame();
  expect(seen).toEqual(['abc']);
  vi.advanceTimersToNextFrame();
  expect(seen).toEqual(['abc']);
});

it('grows less often while drawing it holds up the page', () => {
  const frames: FrameRequestCallback[] = [];
  vi.stubGlobal('requestAnimationFrame', (callback: FrameRequestCallback) => frames.push(callback));
  const frame = (now: number) => frames.splice(0).forEach((callback) => callback(now));
  const answer = new LiveAnswer(choice);
  let drawn = 0;
  answer.subscribe(() => (drawn += 1));
  answer.add('a');
  frame(0);
  answer.add('b');
  frame(16);
  expect(drawn).toBe(2);
  answer.add('c');
  // The second drawing has taken 84 ms: the third waits three times as long.
  for (let now = 100; now < 352; now += 16) frame(now);
  expect(drawn).toBe(2);
  frame(352);
  expect(drawn).toBe(3);
  expect(answer.get().text).toBe('abc');
  vi.unstubAllGlobals();
});

it('has all text at its end, also what no frame has drawn', () => {
  const answer = new LiveAnswer(choice);
  answer.add('all of it');
  answer.end({ phase: 'failed', error: new Error('gone') });
  expect(answer.get()).toMatchObject({ phase: 'failed', text: 'all of it' });
  expect(answer.over).toBe(true);
});
