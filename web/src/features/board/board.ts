/** A board of gains over a base's grid: what can be done with it. Rows are bands of depth, from the input. */
import type { components } from '../../client/schema';

export type Layout = components['schemas']['BoardLayout'];
export type Board = components['schemas']['Board'];
export type Point = components['schemas']['Point'];
export type Expansion = Board['expansion'];

export const LOWEST = -1;
export const HIGHEST = 2;
/** By how much one press of a key turns, and one with more force. */
export const STEP = 0.05;
export const LEAP = 0.25;

export function uniform({ bands, columns }: Layout, gain: number): Board {
  return { cells: bands.map(() => columns.map(() => gain)), expansion: 'step' };
}

/** Of a variant's own gains, which are one number or a board. */
export function boardOf(layout: Layout, gain: number | undefined, board: Board | null | undefined): Board {
  return board ?? uniform(layout, gain ?? 1);
}

export const rounded = (gain: number): number =>
  Math.min(HIGHEST, Math.max(LOWEST, Math.round(gain * 100) / 100)) + 0;

export function withCells(board: Board, turn: (gain: number, row: number, column: number) => number): Board {
  const cells = board.cells.map((row, r) => row.map((gain, c) => rounded(turn(gain, r, c))));
  // Points that were dragged belong to the cells as they were.
  return { cells, expansion: board.expansion };
}

export const withCell = (board: Board, row: number, column: number, gain: number): Board =>
  withCells(board, (old, r, c) => (r === row && c === column ? gain : old));

/** Turns off what acts at all, and what does not act on. */
export function toggled(board: Board, isMeant: (row: number, column: number) => boolean): Board {
  const acts = board.cells.some((row, r) => row.some((gain, c) => isMeant(r, c) && gain !== 0));
  return withCells(board, (old, r, c) => (isMeant(r, c) ? (acts ? 0 : 1) : old));
}

export function withPoint(board: Board, layout: Layout, column: number, index: number, point: Point): Board {
  const curves = curvesOf(board, layout);
  const moved = curves.map((curve, c) =>
    c === column ? curve.map((one, at) => (at === index ? between(curve, at, point) : one)) : curve,
  );
  return { cells: board.cells, expansion: 'smooth', points: moved };
}

/** A point stays between its neighbours. */
function between(curve: readonly Point[], at: number, { depth, gain }: Point): Point {
  const least = at === 0 ? 0 : (curve[at - 1]?.depth ?? 0) + 0.01;
  const most = at === curve.length - 1 ? 1 : (curve[at + 1]?.depth ?? 1) - 0.01;
  return { depth: Math.min(most, Math.max(least, depth)), gain: rounded(gain) };
}

/** The points of each column's curve: those that were dragged, or each cell's in the middle of its band. */
export function curvesOf(board: Board, { bands, columns, layers }: Layout): Point[][] {
  if (board.points) return board.points;
  const whole = Math.max(1, layers - 1);
  return columns.map((_, c) =>
    bands.map(({ first, last }, r) => ({
      depth: (first + last) / 2 / whole,
      gain: board.cells[r]?.[c] ?? 1,
    })),
  );
}

export const isSame = (one: Board, other: Board): boolean => JSON.stringify(one) === JSON.stringify(other);

/** The one gain that a board has everywhere, if it has. */
export function gainOf(board: Board): number | null {
  const all = new Set([...board.cells.flat(), ...(board.points ?? []).flat().map(({ gain }) => gain)]);
  const [only] = all;
  return all.size === 1 ? (only ?? null) : null;
}
