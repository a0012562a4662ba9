/** The run's numbers at this moment, or as they were at its end. */
import type { Job, Run } from '../../api/queries';
import { isOver } from '../../api/queries';
import { readProgress } from '../../ui/JobProgress';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Point } from './points';
import classes from './RunFigures.module.css';

export function RunFigures({ job, run, last }: { job: Job; run: Run; last: Point | undefined }) {
  const { figures } = useWords().runs;
  const format = useFormat();
  const { total_steps: total, tokens_per_second: speed, seconds_left: left } = readProgress(job);
  const over = isOver(job.state);
  const seconds =
    job.started_at && job.finished_at
      ? (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000
      : undefined;
  const { precision, device } = job.result ?? {};
  const heldOut = run.held_out_history?.at(-1)?.loss;
  const shown: [string, string | undefined][] = [
    [figures.loss, last && format.decimal(last.loss)],
    ...(heldOut === undefined ? [] : [[figures.heldOut, format.decimal(heldOut)] satisfies [string, string]]),
    [
      figures.step,
      last &&
        (total && !over ? figures.of(format.count(last.step), format.count(total)) : format.count(last.step)),
    ],
    [figures.epoch, last && format.decimal(last.epoch, 2)],
  ];
  if (over) {
    shown.push(
      [figures.tokens, last && format.count(last.tokens)],
      [figures.samples, format.count(run.samples)],
      [figures.took, seconds === undefined ? undefined : format.duration(seconds)],
    );
    if (typeof precision === 'string') shown.push([figures.computed, `${precision}, ${String(device)}`]);
  } else {
    shown.push(
      [figures.rate, last && format.significant(last.learning_rate)],
      [figures.speed, speed === undefined ? undefined : format.count(speed)],
      [figures.left, left === undefined ? undefined : format.duration(left)],
    );
  }
  return (
    <dl className={classes.figures}>
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="figures">{value ?? '–'}</dd>
        </div>
      ))}
    </dl>
  );
}
