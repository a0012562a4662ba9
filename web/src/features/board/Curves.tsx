/** The board as curves: for each kind of module its gain over depth, led by points that can be dragged. */
import { useRef, type PointerEvent } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { curvesOf, HIGHEST, LOWEST, withPoint, type Board, type Layout, type Point } from './board';
import classes from './board.module.css';
import { monotone } from './curve';
import { knob, placeOf } from './knob';

interface Props {
  board: Board;
  layout: Layout;
  onChange: (board: Board, by: string | null) => void;
}

const SAMPLES = Array.from({ length: 61 }, (_, at) => at / 60);

export function Curves({ board, layout, onChange }: Props) {
  const { board: words } = useWords();
  const curves = curvesOf(board, layout);
  return (
    <div className={classes.curves} role="group" aria-label={words.title}>
      {layout.columns.map((column, c) => (
        <figure key={column} className={classes.curve}>
          <figcaption>
            {(words.columns as Record<string, string>)[column] ?? column} <code>{column}</code>
          </figcaption>
          <Curve
            name={(words.columns as Record<string, string>)[column] ?? column}
            points={curves[c] ?? []}
            layers={layout.layers}
            onMove={(at, point) => onChange(withPoint(board, layout, c, at, point), `point ${c} ${at}`)}
          />
          <div className={classes.ends} aria-hidden>
            <span>{words.input}</span>
            <span>{words.output}</span>
          </div>
        </figure>
      ))}
    </div>
  );
}

interface CurveProps {
  name: string;
  points: readonly Point[];
  layers: number;
  onMove: (index: number, point: Point) => void;
}

function Curve({ name, points, layers, onMove }: CurveProps) {
  const { board: words } = useWords();
  const format = useFormat();
  const area = useRef<HTMLDivElement>(null);
  const gains = monotone(
    points.map(({ depth }) => depth),
    points.map(({ gain }) => gain),
    SAMPLES,
  );
  const path = gains.map((gain, at) => `${at ? 'L' : 'M'}${(SAMPLES[at] ?? 0) * 100} ${placeOf(gain)}`);
  const moveTo = (event: PointerEvent<HTMLElement>, index: number) => {
    const box = area.current?.getBoundingClientRect();
    if (!box || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    onMove(index, {
      depth: (event.clientX - box.left) / box.width,
      gain: HIGHEST - ((event.clientY - box.top) / box.height) * (HIGHEST - LOWEST),
    });
  };
  return (
    <div className={classes.area} ref={area}>
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden>
        {[0, 1].map((gain) => (
          <line key={gain} x1="0" x2="100" y1={placeOf(gain)} y2={placeOf(gain)} data-gain={gain} />
        ))}
        <path d={path.join('')} />
      </svg>
      {points.map((point, index) => (
        <div
          key={index}
          className={classes.point}
          style={{ left: `${point.depth * 100}%`, top: `${placeOf(point.gain)}%` }}
          {...knob({
            gain: point.gain,
            onTurn: (gain) => onMove(index, { ...point, gain }),
            label: words.point(name, format.count(index + 1)),
            text: words.at(
              format.decimal(point.gain, 2),
              format.count(Math.round(point.depth * (layers - 1))),
            ),
          })}
          onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
          onPointerMove={(event) => moveTo(event, index)}
        />
      ))}
    </div>
  );
}
