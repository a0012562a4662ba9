/** A board while training as a small picture: the input above, filled where something learns. */
import type { Rows } from './training';

const SIDE = 9;
const GAP = 2;

export function MiniBoard({ rows, label }: { rows: Rows; label: string }) {
  const columns = rows[0]?.length ?? 0;
  const step = SIDE + GAP;
  return (
    <svg
      width={columns * step - GAP}
      height={rows.length * step - GAP}
      role="img"
      aria-label={label}
      style={{ flex: 'none' }}
    >
      {rows.flatMap((row, r) =>
        row.map(({ train }, c) => (
          <rect
            key={`${r} ${c}`}
            x={c * step + 0.5}
            y={r * step + 0.5}
            width={SIDE - 1}
            height={SIDE - 1}
            rx={2}
            fill={train === false ? 'none' : 'var(--track-line)'}
            stroke={train === false ? 'var(--mantine-color-dimmed)' : 'var(--track-line)'}
          />
        )),
      )}
    </svg>
  );
}
