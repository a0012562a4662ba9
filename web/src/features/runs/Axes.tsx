/** The chart's scale and its two axes. */
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './LossChart.module.css';
import { ticks, type ChartPoint } from './points';

export const HEIGHT = 280;
const LEFT = 44;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 40;

export type Scale = ReturnType<typeof scaleFor>;

export function scaleFor(points: readonly ChartPoint[], width: number, steps = 1) {
  const end = points.reduce((last, { step }) => Math.max(last, step), Math.max(1, steps));
  const highest = points.reduce(
    (most, { loss }) => (Number.isFinite(loss) ? Math.max(most, loss) : most),
    0.001,
  );
  const down = ticks(0, highest, 5);
  const across = ticks(0, end, width < 500 ? 4 : 8);
  const top = down.at(-1) ?? 1;
  const inner = width - LEFT - RIGHT;
  return {
    width,
    down,
    across: across.filter((step) => step <= end && Number.isInteger(step)),
    x: (step: number) => LEFT + (inner * step) / end,
    y: (loss: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(loss, top) / top),
    /** The step at a distance from the left edge. */
    step: (x: number) => Math.min(end, Math.max(0, ((x - LEFT) / inner) * end)),
  };
}

export function path(points: readonly ChartPoint[], scale: Scale): string {
  return points.map(({ step, loss }) => `${scale.x(step)},${scale.y(loss)}`).join(' ');
}

export function Axes({ scale }: { scale: Scale }) {
  const { figures } = useWords().runs;
  const format = useFormat();
  const digits = Math.max(0, ...scale.down.map((tick) => String(tick).split('.')[1]?.length ?? 0));
  return (
    <g className={classes.axes}>
      {scale.down.map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={scale.width - RIGHT} y1={scale.y(tick)} y2={scale.y(tick)} />
          <text x={LEFT - 8} y={scale.y(tick)} dy="0.32em" textAnchor="end">
            {format.decimal(tick, Math.min(digits, 3))}
          </text>
        </g>
      ))}
      {scale.across.map((tick) => (
        <text key={tick} x={scale.x(tick)} y={HEIGHT - BOTTOM + 18} textAnchor="middle">
          {format.count(tick)}
        </text>
      ))}
      <text x={(LEFT + scale.width - RIGHT) / 2} y={HEIGHT - 4} textAnchor="middle">
        {figures.step}
      </text>
    </g>
  );
}
