/** The board as cells: bands of depth below one another, kinds of modules beside one another. */
import { UnstyledButton, VisuallyHidden } from '@mantine/core';
import { Fragment } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { toggled, withCell, type Board, type Layout } from './board';
import classes from './board.module.css';
import { drag, knob, placeOf } from './knob';

interface Props {
  board: Board;
  layout: Layout;
  onChange: (board: Board, by: string | null) => void;
}

export function Cells({ board, layout, onChange }: Props) {
  const { board: words } = useWords();
  const format = useFormat();
  const nameOf = (column: string) => (words.columns as Record<string, string>)[column] ?? column;
  return (
    <div
      className={classes.cells}
      style={{ gridTemplateColumns: `auto repeat(${layout.columns.length}, minmax(0, 1fr))` }}
      role="group"
      aria-label={words.title}
    >
      <span />
      {layout.columns.map((column, c) => (
        <UnstyledButton
          key={column}
          className={classes.head ?? ''}
          title={words.toggle}
          onClick={() =>
            onChange(
              toggled(board, (_, at) => at === c),
              null,
            )
          }
        >
          <VisuallyHidden>{words.toggle}: </VisuallyHidden>
          {nameOf(column)}
          <code>{column}</code>
        </UnstyledButton>
      ))}
      {layout.bands.map(({ first, last }, r) => {
        const layers = words.layers(format.count(first), format.count(last));
        return (
          <Fragment key={first}>
            <UnstyledButton
              className={classes.head ?? ''}
              title={words.toggle}
              onClick={() =>
                onChange(
                  toggled(board, (at) => at === r),
                  null,
                )
              }
            >
              <VisuallyHidden>{words.toggle}: </VisuallyHidden>
              {layers}
              {r === 0 && <small>{words.input}</small>}
              {r === layout.bands.length - 1 && <small>{words.output}</small>}
            </UnstyledButton>
            {layout.columns.map((column, c) => {
              const gain = board.cells[r]?.[c] ?? 1;
              const turn = (next: number) => onChange(withCell(board, r, c, next), `cell ${r} ${c}`);
              const top = placeOf(Math.max(gain, 0));
              return (
                <div
                  key={column}
                  className={classes.cell}
                  data-off={gain === 0 || undefined}
                  {...knob({
                    gain,
                    onTurn: turn,
                    label: `${layers}, ${nameOf(column)}`,
                    text: format.decimal(gain, 2),
                  })}
                  {...drag(turn)}
                >
                  <span
                    className={classes.fill}
                    data-below={gain < 0 || undefined}
                    style={{ top: `${top}%`, height: `${placeOf(Math.min(gain, 0)) - top}%` }}
                  />
                  <span className={classes.zero} style={{ top: `${placeOf(0)}%` }} />
                  <span className={`${classes.value ?? ''} figures`}>{format.decimal(gain, 2)}</span>
                </div>
              );
            })}
          </Fragment>
        );
      })}
    </div>
  );
}
