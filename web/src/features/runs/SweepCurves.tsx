/** The curves of all runs of a sweep in one chart, those of one setting alike. */
import { Group, Text, Title } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';

import type { Run } from '../../api/queries';
import { Segments } from '../../ui/Segments';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { Axes, HEIGHT, path, scaleFor } from './Axes';
import charts from './LossChart.module.css';
import { smooth, type ChartPoint } from './points';
import classes from './Sweep.module.css';
import type { Setting } from './sweep';

/** Of fewer, every step can be seen by itself. */
const SMOOTH_FROM = 60;

type Course = 'loss' | 'heldOut';

export function SweepCurves({ runs, settings }: { runs: readonly Run[]; settings: readonly Setting[] }) {
  const { chart, sweep: words } = useWords().runs;
  const format = useFormat();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const hasHeldOut = runs.some(({ held_out_history: course }) => (course?.length ?? 0) > 1);
  const [chosen, setChosen] = useState<Course>('loss');
  const course = hasHeldOut ? chosen : 'loss';
  const lines = settings.flatMap(({ name, place, runs: members }) =>
    members.flatMap((run) => {
      const points = pointsOf(run, course);
      return points.length ? [{ id: run.job.id, name, seed: run.recipe.seed, place, points }] : [];
    }),
  );
  const scale = scaleFor(
    lines.flatMap(({ points }) => points),
    Math.max(width, 240),
  );
  const summary = lines.map(({ name, seed, points }) =>
    words.curvesLabel(
      name ?? words.seedsOnly,
      String(seed),
      format.decimal(points[0]?.loss ?? 0),
      format.decimal(points.at(-1)?.loss ?? 0),
    ),
  );
  return (
    <section className="card">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          {words.curves}
        </Title>
        {hasHeldOut && (
          <Segments
            label={words.curves}
            value={course}
            onChange={setChosen}
            data={(['loss', 'heldOut'] as const).map((value) => ({ value, label: words.courses[value] }))}
          />
        )}
      </Group>
      {settings.length > 1 && (
        <ul className={charts.legend}>
          {settings.map(({ name, place }) => (
            <li key={name ?? ''} className={classes.series} data-place={place % 6}>
              <svg width={28} height={8} aria-hidden>
                <line className={classes.line} x1={0} x2={28} y1={4} y2={4} />
              </svg>
              <span className="words">{name ?? words.seedsOnly}</span>
            </li>
          ))}
        </ul>
      )}
      <div ref={ref} className={charts.frame}>
        {lines.length === 0 ? (
          <Text c="dimmed" className={charts.none ?? ''}>
            {chart.none}
          </Text>
        ) : (
          <svg width={scale.width} height={HEIGHT} role="img" aria-label={summary.join(' ')}>
            <Axes scale={scale} />
            {lines.map(({ id, place, points }) => (
              <g key={id} className={classes.series} data-place={place % 6}>
                <polyline className={classes.line} points={path(points, scale)} />
              </g>
            ))}
          </svg>
        )}
      </div>
      <Text size="xs" c="dimmed" ta="end">
        {chart.unit}
      </Text>
    </section>
  );
}

function pointsOf(run: Run, course: Course): readonly ChartPoint[] {
  const points = (course === 'heldOut' ? run.held_out_history : run.history) ?? [];
  return points.length < SMOOTH_FROM ? points : smooth<ChartPoint>(points);
}
