/** The same interpolant as in src/twotrack/equalizer/expansion.py, where its source is named. */
export function monotone(xs: readonly number[], ys: readonly number[], at: readonly number[]): number[] {
  const n = xs.length;
  const x = (i: number) => xs[i] ?? 0;
  const y = (i: number) => ys[i] ?? 0;
  if (n === 1) return at.map(() => y(0));
  const width = (i: number) => x(i + 1) - x(i);
  const secant = (i: number) => (y(i + 1) - y(i)) / width(i);
  const slopes = xs.map((_, i) => {
    if (i === 0) return secant(0);
    if (i === n - 1) return secant(n - 2);
    const [left, right] = [secant(i - 1), secant(i)];
    if (left * right <= 0) return 0;
    const first = 2 * width(i) + width(i - 1);
    const second = width(i) + 2 * width(i - 1);
    return (first + second) / (first / left + second / right);
  });
  return at.map((value) => {
    if (value <= x(0)) return y(0);
    if (value >= x(n - 1)) return y(n - 1);
    const piece = xs.findIndex((_, i) => value < x(i + 1));
    const t = (value - x(piece)) / width(piece);
    const found =
      (1 + 2 * t) * (1 - t) ** 2 * y(piece) +
      t * (1 - t) ** 2 * width(piece) * (slopes[piece] ?? 0) +
      t ** 2 * (3 - 2 * t) * y(piece + 1) +
      t ** 2 * (t - 1) * width(piece) * (slopes[piece + 1] ?? 0);
    const [low, high] = [Math.min(y(piece), y(piece + 1)), Math.max(y(piece), y(piece + 1))];
    return Math.min(high, Math.max(low, found));
  });
}
