import { expect, test } from 'vitest';

import type { Job } from '../../api/queries';
import { courseOf, merge, nearest, pointOf, smooth, thin, ticks, withSpeed, type Point } from './points';

const point = (step: number): Point => ({ step, epoch: 0, loss: 1, learning_rate: 0, tokens: 0 });

test('thinning keeps the first and the last point', () => {
  const thinned = thin(
    Array.from({ length: 1_001 }, (_, step) => point(step)),
    100,
  );
  expect(thinned).toHaveLength(100);
  expect([thinned[0]?.step, thinned.at(-1)?.step]).toEqual([0, 1_000]);
});

test.each([
  [0, 2.6, 5, [0, 1, 2, 3]],
  [0, 0.05, 5, [0, 0.01, 0.02, 0.03, 0.04, 0.05]],
  [0, 40, 8, [0, 5, 10, 15, 20, 25, 30, 35, 40]],
])('ticks from %d to %d are round and span them', (low, high, about, expected) => {
  expect(ticks(low, high, about)).toEqual(expected);
});

test('ticks of one single value are still a span', () => {
  expect(ticks(0, 0, 5).length).toBeGreaterThan(0);
});

test('smoothing keeps the level and takes the shaking away', () => {
  const shaking = Array.from({ length: 200 }, (_, step) => ({ ...point(step), loss: step % 2 ? 1 : 3 }));
  const smoothed = smooth(shaking);
  expect(smoothed[0]?.loss).toBe(3);
  expect(Math.abs((smoothed.at(-1)?.loss ?? 0) - 2)).toBeLessThan(0.1);
});

test.each([
  [0, 1],
  [4, 3],
  [6.4, 7],
  [99, 7],
])('nearest to step %d is step %d', (step, expected) => {
  expect(nearest([1, 3, 7].map(point), step)?.step).toBe(expected);
});

test('nothing is nearest among nothing', () => {
  expect(nearest([], 3)).toBeUndefined();
});

test('what was heard follows what was kept, each step once', () => {
  const steps = merge([1, 2, 3].map(point), [2, 3, 4, 6].map(point)).map(({ step }) => step);
  expect(steps).toEqual([1, 2, 3, 4, 6]);
});

test('a job that tells of no step adds none', () => {
  expect(pointOf({ progress: { stage: 'loading' } } as unknown as Job)).toBeUndefined();
  expect(pointOf({ progress: { step: 3, loss: 0.5 } } as unknown as Job)).toMatchObject({
    step: 3,
    loss: 0.5,
  });
});

test('tokens a second are those of one step, where its moments are known', () => {
  const points: Point[] = [
    { ...point(1), tokens: 100, at: 10 },
    { ...point(2), tokens: 300, at: 14 },
    { ...point(3), tokens: 400, at: null },
    { ...point(4), tokens: 500, at: 20 },
    // A clock that was put back.
    { ...point(5), tokens: 600, at: 19 },
  ];
  expect(courseOf(withSpeed(points), 'speed')).toEqual([{ step: 2, loss: 50 }]);
});

test('a figure that no point has draws nothing', () => {
  expect(courseOf([point(1), { ...point(2), memory: null }], 'memory')).toEqual([]);
  expect(courseOf([{ ...point(1), memory: 5 }], 'memory')).toEqual([{ step: 1, loss: 5 }]);
});
