/** Where a run may train: each cell of the base's grid learns or stays frozen, with a size and a pace of its own. */
import { Alert, Box, NumberInput, Popover, Stack, Switch, Text, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment, type ReactNode } from 'react';

import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { detailsQuery } from '../models/queries';
import type { Layout } from './board';
import classes from './board.module.css';
import { isFrozen, switched, withTrained, type Cell, type Rows } from './training';

interface Props {
  /** The name of the base. */
  base: string;
  board: Rows | null;
  onChange: (board: Rows | null) => void;
}

export function TrainingBoard({ base, board, onChange }: Props) {
  const { training: words } = useWords().board;
  const found = useQuery({ ...detailsQuery(base), enabled: base !== '' });
  const layout = found.data?.board ?? null;
  return (
    <fieldset className="plain">
      <Text component="legend" fw={600}>
        {words.title}
      </Text>
      <Text size="sm" c="dimmed" mb="sm">
        {words.hint}
      </Text>
      <Switch
        label={words.use}
        checked={board !== null}
        disabled={!layout}
        onChange={(event) => onChange(event.currentTarget.checked && layout ? switched(layout) : null)}
      />
      {found.error && <ProblemAlert error={found.error} />}
      {board && layout && (
        <Box mt="sm">
          <BoardCells label={words.title} layout={layout} board={board} onChange={onChange} />
        </Box>
      )}
      {board && isFrozen(board) && (
        <Alert mt="sm" color="red" variant="light" role="alert">
          {words.nothing}
        </Alert>
      )}
    </fieldset>
  );
}

interface CellsProps {
  label: string;
  layout: Layout;
  board: Rows;
  onChange: (board: Rows) => void;
}

export const BoardCells = ({ board, onChange, ...frame }: CellsProps) => (
  <Frame {...frame}>
    {(name, r, c) => (
      <TrainedCell
        name={name}
        cell={board[r]?.[c] ?? {}}
        onChange={(cell) => onChange(withTrained(board, r, c, cell))}
      />
    )}
  </Frame>
);

/** How a run was asked for, to read. */
export const BoardAsAsked = ({ board, ...frame }: Omit<CellsProps, 'onChange'>) => (
  <Frame {...frame}>{(name, r, c) => <AskedCell name={name} cell={board[r]?.[c] ?? {}} />}</Frame>
);

interface FrameProps {
  label: string;
  layout: Layout;
  children: (name: string, row: number, column: number) => ReactNode;
}

function Frame({ label, layout, children }: FrameProps) {
  const { board: words } = useWords();
  const format = useFormat();
  const names = words.columns as Record<string, string>;
  return (
    <div
      className={classes.cells}
      style={{ gridTemplateColumns: `auto repeat(${layout.columns.length}, minmax(0, 1fr))` }}
      role="group"
      aria-label={label}
    >
      <span />
      {layout.columns.map((column) => (
        <span key={column} className={classes.head}>
          {names[column] ?? column}
        </span>
      ))}
      {layout.bands.map(({ first, last }, r) => {
        const layers = words.layers(format.count(first), format.count(last));
        return (
          <Fragment key={first}>
            <span className={classes.head}>{layers}</span>
            {layout.columns.map((column, c) => (
              <Fragment key={column}>{children(`${layers}, ${names[column] ?? column}`, r, c)}</Fragment>
            ))}
          </Fragment>
        );
      })}
    </div>
  );
}

interface CellProps {
  name: string;
  cell: Cell;
  onChange: (cell: Cell) => void;
}

/** What a cell does, in a few signs; none is left alone at the end of a line. */
function useSaid({ train, rank, alpha, learning_rate: rate }: Cell): string {
  const { training: words } = useWords().board;
  const own = [
    rank != null && `r\u00a0${rank}`,
    alpha != null && `α\u00a0${alpha}`,
    rate !== undefined && rate !== 1 && `×\u00a0${rate}`,
  ].filter(Boolean);
  return train === false ? words.frozen : [words.train, ...own].join(' · ');
}

function AskedCell({ name, cell }: Pick<CellProps, 'name' | 'cell'>) {
  const said = useSaid(cell);
  return (
    <span className={`${classes.trained} ${classes.asked}`} data-frozen={cell.train === false || undefined}>
      <span className={classes.hiddenName}>{name}: </span>
      {said}
    </span>
  );
}

function TrainedCell({ name, cell, onChange }: CellProps) {
  const { training: words } = useWords().board;
  const learns = cell.train !== false;
  const said = useSaid(cell);
  const number = (field: 'rank' | 'alpha' | 'learning_rate', max: number, digits: number) => (
    <NumberInput
      label={words[field]}
      placeholder={words.asRecipe}
      value={cell[field] ?? ''}
      min={field === 'rank' ? 1 : 0.01}
      max={max}
      decimalScale={digits}
      disabled={!learns}
      onChange={(value) => onChange({ ...cell, [field]: value === '' ? undefined : Number(value) })}
    />
  );
  return (
    <Popover withinPortal trapFocus returnFocus shadow="md" position="bottom">
      <Popover.Target>
        <UnstyledButton className={classes.trained ?? ''} data-frozen={!learns || undefined}>
          <span className={classes.hiddenName}>{name}: </span>
          {said}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label={name}>
        <Stack gap="sm">
          <Text fw={600} size="sm">
            {name}
          </Text>
          <Switch
            label={words.train}
            checked={learns}
            data-autofocus
            onChange={(event) => onChange({ ...cell, train: event.currentTarget.checked })}
          />
          {number('rank', 512, 0)}
          {number('alpha', 4096, 2)}
          {number('learning_rate', 100, 2)}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
