/** What else is to be seen of a run's course, each small and by itself; the table below the loss has the numbers. */
import { Text, Title } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useMemo } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './RunCurves.module.css';
import { courseOf, smooth, thin, type ChartPoint } from './points';

const HEIGHT = 72;
const EDGE = 5;
const MOST_POINTS = 500;
/** Of fewer, every step can be seen by itself. */
const SMOOTH_FROM = 60;

interface Props {
  points: readonly ChartPoint[];
  /** Steps that the run will have made at its end, as long as it goes on. */
  steps?: number | undefined;
}

export function RunCurves({ points, steps }: Props) {
  const { curves: words, figures } = useWords().runs;
  const format = useFormat();
  const shown = [
    { figure: 'learning_rate', name: figures.rate, text: (value: number) => format.significant(value) },
    { figure: 'speed', name: figures.speed, text: (value: number) => format.count(Math.round(value)) },
    { figure: 'memory', name: figures.memory, text: format.bytes },
  ] as const;
  const drawn = shown
    .map((one) => ({ ...one, course: courseOf(points, one.figure) }))
    .filter(({ course }) => course.length > 1);
  if (drawn.length === 0) return null;
  return (
    <section className="card">
      <Title order={2} size="h4" mb="sm">
        {words.title}
      </Title>
      <div className={classes.curves}>
        {drawn.map(({ figure, name, text, course }) => (
          <Curve key={figure} name={name} text={text} course={course} steps={steps} />
        ))}
      </div>
    </section>
  );
}

interface CurveProps {
  name: string;
  text: (value: number) => string;
  course: readonly ChartPoint[];
  steps: number | undefined;
}

function Curve({ name, text, course, steps }: CurveProps) {
  const { curves: words } = useWords().runs;
  const { ref, width: measured } = useElementSize<HTMLDivElement>();
  const line = useMemo(() => {
    const thinned = thin(course, MOST_POINTS);
    return course.length < SMOOTH_FROM ? thinned : smooth(thinned, 0.7);
  }, [course]);
  const width = Math.max(measured, 120);
  const values = course.map(({ loss }) => loss);
  const [low, high] = [Math.min(...line.map(({ loss }) => loss)), Math.max(...line.map(({ loss }) => loss))];
  const end = Math.max(course.at(-1)?.step ?? 1, steps ?? 1);
  const x = (step: number) => EDGE + ((width - 2 * EDGE) * step) / end;
  // From zero, so that a ripple does not look like a wave.
  const y = (value: number) => HEIGHT - EDGE - ((HEIGHT - 2 * EDGE) * value) / (high || 1);
  const last = line.at(-1);
  const now = values.at(-1) ?? 0;
  return (
    <div>
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text fw={600} className="figures">
        {text(now)}
      </Text>
      <div ref={ref}>
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={words.summary(name, text(low), text(high), text(now))}
        >
          <line className={classes.floor} x1={EDGE} x2={width - EDGE} y1={y(0)} y2={y(0)} />
          <polyline
            className={classes.line}
            points={line.map(({ step, loss }) => `${x(step)},${y(loss)}`).join(' ')}
          />
          {last && <circle className={classes.knob} cx={x(last.step)} cy={y(last.loss)} r={4} />}
        </svg>
      </div>
      <Text size="xs" c="dimmed" className="figures">
        {words.range(text(low), text(high))}
      </Text>
    </div>
  );
}
