/** The cells of a board while training, as a recipe writes them: what is left out is the recipe's own. */
import type { Layout } from './board';

export interface Cell {
  train?: boolean;
  rank?: number | null | undefined;
  alpha?: number | null | undefined;
  /** Times the recipe's. */
  learning_rate?: number | undefined;
}

export type Rows = Cell[][];

/** Everything learns, as it does without a board. */
export const switched = ({ bands, columns }: Layout): Rows => bands.map(() => columns.map(() => ({})));

export function withTrained(board: Rows, row: number, column: number, cell: Cell): Rows {
  // A frozen cell has nothing else to say.
  const said = cell.train === false ? { train: false } : { ...cell };
  if (said.train) delete said.train;
  return board.map((cells, r) => cells.map((old, c) => (r === row && c === column ? said : old)));
}

/** Without what each cell has from its recipe all the same. */
export const ownOf = (board: Rows, recipe: Pick<Cell, 'rank' | 'alpha'>): Rows =>
  board.map((cells) =>
    cells.map(({ rank, alpha, ...cell }) => ({
      ...cell,
      rank: rank === recipe.rank ? undefined : rank,
      alpha: alpha === recipe.alpha ? undefined : alpha,
    })),
  );

/** Whether the board has the rows and columns of this grid. */
export const fits = ({ bands, columns }: Layout, board: Rows): boolean =>
  board.length === bands.length && board.every((cells) => cells.length === columns.length);

export const isFrozen = (board: Rows): boolean =>
  board.every((cells) => cells.every(({ train }) => train === false));
