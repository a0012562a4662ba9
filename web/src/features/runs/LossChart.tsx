/** Loss over steps, with the numbers under the pointer, and the same as a table. One run, or two for comparison. */
import { Group, Text, Title } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useMemo, useState, type PointerEvent } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { Axes, HEIGHT, path, scaleFor, type Scale } from './Axes';
import classes from './LossChart.module.css';
import { LossTable } from './LossTable';
import { nearest, smooth, thin, type ChartPoint } from './points';

const MOST_POINTS = 2_000;
/** Of fewer, every step can be seen by itself. */
const SMOOTH_FROM = 60;

export interface Series {
  name: string;
  points: readonly ChartPoint[];
  /** Few, and each counts: they are seen one by one. */
  dotted?: boolean;
}

interface Props {
  series: readonly Series[];
  /** Steps that the run will have made at its end, as long as it goes on. */
  steps?: number | undefined;
}

export function LossChart({ series, steps }: Props) {
  const { chart } = useWords().runs;
  const format = useFormat();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const drawn = useMemo(
    () =>
      series
        .filter(({ points }) => points.length > 0)
        .map(({ name, points, dotted = false }) => {
          const thinned = thin(points, MOST_POINTS);
          return {
            name,
            dotted,
            points: thinned,
            line: points.length < SMOOTH_FROM ? null : smooth(thinned),
          };
        }),
    [series],
  );
  const [near, setNear] = useState<number | null>(null);
  const scale = scaleFor(
    drawn.flatMap(({ points }) => points),
    Math.max(width, 240),
    steps,
  );
  const summary = series.map(({ name, points }) =>
    chart.summary(
      name,
      format.decimal(points[0]?.loss ?? 0),
      format.decimal(points.at(-1)?.loss ?? 0),
      format.count(points.length),
    ),
  );
  const follow = (event: PointerEvent<SVGSVGElement>) =>
    setNear(scale.step(event.clientX - event.currentTarget.getBoundingClientRect().left));
  return (
    <section className="card">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          {chart.title}
        </Title>
        {drawn.length > 1 ? (
          <Legend names={drawn.map(({ name }) => name)} />
        ) : (
          <Text size="sm" c="dimmed">
            {chart.unit}
          </Text>
        )}
      </Group>
      <div ref={ref} className={classes.frame}>
        {drawn.length === 0 ? (
          <Text c="dimmed" className={classes.none ?? ''}>
            {chart.none}
          </Text>
        ) : (
          <>
            <svg
              width={scale.width}
              height={HEIGHT}
              role="img"
              aria-label={summary.join(' ')}
              onPointerMove={follow}
              onPointerLeave={() => setNear(null)}
            >
              <Axes scale={scale} />
              {drawn.map(({ name, points, line, dotted }, place) => (
                <g key={name} className={classes.series} data-place={place}>
                  <polyline className={line ? classes.faint : classes.line} points={path(points, scale)} />
                  {line && <polyline className={classes.line} points={path(line, scale)} />}
                  {dotted &&
                    points.map(({ step, loss }) => (
                      <circle
                        key={step}
                        className={classes.dot}
                        cx={scale.x(step)}
                        cy={scale.y(loss)}
                        r={3}
                      />
                    ))}
                </g>
              ))}
              <Marks series={drawn} near={near} scale={scale} />
            </svg>
            {near !== null && <Tip series={drawn} near={near} scale={scale} />}
          </>
        )}
      </div>
      {series.map(
        ({ name, points }) =>
          points.length > 0 && (
            <LossTable
              key={name}
              points={points}
              title={series.length > 1 ? `${chart.table}: ${name}` : chart.table}
            />
          ),
      )}
    </section>
  );
}

function Legend({ names }: { names: readonly string[] }) {
  return (
    <ul className={classes.legend}>
      {names.map((name, place) => (
        <li key={name} className={classes.series} data-place={place}>
          <svg width={28} height={8} aria-hidden>
            <line className={classes.line} x1={0} x2={28} y1={4} y2={4} />
          </svg>
          <span className="words">{name}</span>
        </li>
      ))}
    </ul>
  );
}

interface Shown {
  series: readonly Series[];
  near: number | null;
  scale: Scale;
}

/** The knob: where the pointer is, or at the newest step. */
function Marks({ series, near, scale }: Shown) {
  return series.map(({ name, points }, place) => {
    const point = near === null ? points.at(-1) : nearest(points, near);
    return (
      point && (
        <g key={name} className={classes.series} data-place={place}>
          <circle className={classes.knob} cx={scale.x(point.step)} cy={scale.y(point.loss)} r={6} />
        </g>
      )
    );
  });
}

function Tip({ series, near, scale }: Shown & { near: number }) {
  const { figures } = useWords().runs;
  const format = useFormat();
  const left = scale.x(near);
  return (
    <div
      className={`${classes.tip ?? ''} figures`}
      style={left > scale.width / 2 ? { right: scale.width - left + 12 } : { left: left + 12 }}
      aria-hidden
    >
      {series.map(({ name, points }) => {
        const point = nearest(points, near);
        return (
          point && (
            <div key={name}>
              {series.length > 1 && <span className={classes.tipName}>{name}</span>}
              <strong>{`${figures.loss} ${format.decimal(point.loss)}`}</strong>
              <span>{`${figures.step} ${format.count(point.step)}`}</span>
              {point.epoch !== undefined && (
                <span>{`${figures.epoch} ${format.decimal(point.epoch, 2)}`}</span>
              )}
              {point.learning_rate !== undefined && (
                <span>{`${figures.rate} ${format.significant(point.learning_rate)}`}</span>
              )}
            </div>
          )
        );
      })}
    </div>
  );
}
