/** Bands of depth × columns; a band opens to its layers, and a cell shows its modules below. */
import { Button, Group, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useState, type CSSProperties } from 'react';

import { ProblemAlert } from '../../ui/ProblemAlert';
import { Segments } from '../../ui/Segments';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './MapView.module.css';
import { isSame, rmsOf, sensitivityOf, weightOf, type Place } from './places';
import { normsQuery, type ModelMap, type Sensed } from './queries';

interface Props {
  name: string;
  map: ModelMap;
  /** What was measured of it on somebody's samples. */
  sensed: Sensed | null;
  shown: Shown;
  onShow: (shown: Shown) => void;
  chosen: Place | null;
  onChoose: (place: Place) => void;
}

export type Shown = 'parameters' | 'norms' | 'sensitivity';

export function MapGrid({ name, map, sensed, shown, onShow, chosen, onChoose }: Props) {
  const words = useWords().map;
  const norms = useQuery(normsQuery(name));
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const measured = shown === 'norms' ? norms.data : undefined;
  const sensitive = shown === 'sensitivity' ? sensed : null;
  const bands = map.stacks.flatMap((stack) => stack.bands.map((band) => ({ stack: stack.name, ...band })));
  const places = (row: Omit<Place, 'column'>) => map.columns.map((column) => ({ ...row, column }));
  const figureOf = (place: Place) =>
    sensitive
      ? (sensitivityOf(map, sensitive, place)?.relative ?? null)
      : measured
        ? rmsOf(measured, place)
        : weightOf(map, place) || null;
  // Of bands and of single layers each their own largest: a band weighs many times a layer.
  const largest = {
    band: Math.max(...bands.flatMap(places).map((place) => figureOf(place) ?? 0)),
    layer: Math.max(
      ...map.stacks
        .flatMap(({ name: stack, layers }) =>
          Array.from({ length: layers }, (_, layer) => ({ stack, first: layer, last: layer })),
        )
        .flatMap(places)
        .map((place) => figureOf(place) ?? 0),
    ),
  };
  const toggle = (key: string) =>
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  const cells = (row: Omit<Place, 'column'>, of: 'band' | 'layer') =>
    places(row).map((place) => (
      <Cell
        key={place.column}
        place={place}
        figure={figureOf(place)}
        largest={largest[of]}
        error={sensitive && (sensitivityOf(map, sensitive, place)?.relative_error ?? null)}
        unit={sensitive ? 'sensitivity' : measured ? 'norms' : 'parameters'}
        isChosen={isSame(chosen, place)}
        onChoose={onChoose}
      />
    ));
  const several = map.stacks.length > 1;
  return (
    <section className="card">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4">
          {words.grid}
        </Title>
        {(norms.data ?? sensed) && (
          <Segments<Shown>
            label={words.show}
            value={shown}
            onChange={onShow}
            data={[
              { value: 'parameters', label: words.count },
              ...(norms.data ? [{ value: 'norms' as const, label: words.rms }] : []),
              ...(sensed ? [{ value: 'sensitivity' as const, label: words.sensitivity.short }] : []),
            ]}
          />
        )}
        {!norms.data && map.format !== 'config' && (
          <Button
            variant="default"
            loading={norms.isFetching}
            onClick={() => void norms.refetch().then(({ data }) => data && onShow('norms'))}
          >
            {words.measure}
          </Button>
        )}
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        {words.gridHint} {sensitive && words.sensitivity.legend}
      </Text>
      {norms.error && <ProblemAlert error={norms.error} />}
      <Table.ScrollContainer
        minWidth={88 + map.columns.length * 58}
        scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}
      >
        <table
          className={classes.grid}
          aria-label={sensitive ? words.sensitivity.short : measured ? words.rms : words.grid}
        >
          <thead>
            <tr>
              <th scope="col">{words.layers}</th>
              {map.columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {bands.map((band) => {
              const key = `${band.stack} ${band.first}`;
              return (
                <Fragment key={key}>
                  <tr>
                    <th scope="row">
                      <button
                        type="button"
                        className={classes.band}
                        aria-expanded={open.has(key)}
                        onClick={() => toggle(key)}
                      >
                        <span aria-hidden>{open.has(key) ? '▾' : '▸'}</span> {several && `${band.stack} `}
                        {words.range(band.first, band.last)}
                      </button>
                    </th>
                    {cells(band, 'band')}
                  </tr>
                  {open.has(key) &&
                    Array.from({ length: band.last - band.first + 1 }, (_, at) => band.first + at).map(
                      (layer) => (
                        <tr key={layer} className={classes.layer}>
                          <th scope="row">{layer}</th>
                          {cells({ stack: band.stack, first: layer, last: layer }, 'layer')}
                        </tr>
                      ),
                    )}
                </Fragment>
              );
            })}
          </tbody>
        </table>
      </Table.ScrollContainer>
    </section>
  );
}

interface CellProps {
  place: Place;
  figure: number | null;
  largest: number;
  /** The standard error of the figure. */
  error: number | null;
  unit: Shown;
  isChosen: boolean;
  onChoose: (place: Place) => void;
}

function Cell({ place, figure, error, largest, unit, isChosen, onChoose }: CellProps) {
  const words = useWords().map;
  const format = useFormat();
  if (figure === null) return <td />;
  const number =
    unit === 'sensitivity'
      ? format.decimal(figure, 2)
      : unit === 'norms'
        ? format.significant(figure)
        : format.compact(figure);
  const noise = error === null ? '' : ` ± ${format.decimal(error, 2)}`;
  const style = { '--share': largest ? figure / largest : 0 } as CSSProperties;
  return (
    <td>
      <button
        type="button"
        className={classes.cell}
        style={style}
        aria-pressed={isChosen}
        aria-label={words.cell(place.column, words.range(place.first, place.last), number + noise)}
        onClick={() => onChoose(place)}
      >
        {number}
        {noise && <small>{noise}</small>}
      </button>
    </td>
  );
}
