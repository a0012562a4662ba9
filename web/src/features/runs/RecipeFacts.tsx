/** How the run was asked for. */
import { Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import type { Run } from '../../api/queries';
import { CopyText } from '../../ui/CopyText';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { BoardAsAsked } from '../board/TrainingBoard';
import { fits, ownOf } from '../board/training';
import { detailsQuery } from '../models/queries';
import { FIELDS } from './recipe';
import classes from './RecipeFacts.module.css';

type Cell = NonNullable<Run['recipe']['board']>[number][number];

/** A field of a run's recipe as people read it. */
export function useFieldText(): (run: Run, field: (typeof FIELDS)[number]) => string {
  const words = useWords().runs;
  const format = useFormat();
  const choices: Record<string, string> = words.choices;
  const cell = ({ train, rank, alpha, learning_rate: rate }: Cell) =>
    train
      ? [
          words.cell.learns,
          rank && `${words.fields.rank} ${format.count(rank)}`,
          alpha && `${words.fields.alpha} ${format.significant(alpha)}`,
          rate !== 1 && `${words.fields.learning_rate} ×${format.significant(rate)}`,
        ]
          .filter(Boolean)
          .join(' ')
      : words.cell.frozen;
  // From the input up, as it is written in a recipe: a band whose cells are alike says it once.
  const row = (cells: readonly Cell[]) => {
    const said = cells.map(cell);
    return new Set(said).size === 1 ? said[0] : `[${said.join(', ')}]`;
  };
  return ({ recipe }, field) => {
    const value = recipe[field];
    if (field === 'board') return recipe.board?.map(row).join(' / ') ?? words.form.all;
    if (value === null || value === undefined) {
      return field === 'sample_every' ? words.form.fiveTimes : words.form.contextDefault;
    }
    if (Array.isArray(value)) return value.length ? value.join(', ') : words.form.all;
    if (typeof value === 'number')
      return Number.isInteger(value) ? format.count(value) : format.significant(value);
    return choices[String(value)] ?? String(value);
  };
}

export function RecipeFacts({ run, base }: { run: Run; base: string }) {
  const words = useWords().runs;
  const format = useFormat();
  const text = useFieldText();
  const { board } = run.recipe;
  const found = useQuery({ ...detailsQuery(base), enabled: !!board });
  const layout = found.data?.board;
  const shown = board && layout && fits(layout, board) ? ownOf(board, run.recipe) : null;
  // In words where its grid is not to be had: the base may be gone.
  const fields = FIELDS.filter((field) => field !== 'board' || !(shown || found.isLoading));
  return (
    <section className="card">
      <Title order={2} size="h4" mb="md">
        {words.recipe}
      </Title>
      <dl className={classes.facts}>
        <div>
          <dt>{words.form.base}</dt>
          <dd className="words">{base}</dd>
        </div>
        <div>
          <dt>{words.figures.samples}</dt>
          <dd className="figures">{format.count(run.samples)}</dd>
        </div>
        <div>
          <dt>{words.figures.data}</dt>
          <dd>
            <CopyText text={run.data_sha256} label={words.figures.data} />
          </dd>
        </div>
        {(
          [
            [words.form.from, run.data_set],
            [words.form.heldOut, run.held_out],
          ] as const
        ).map(
          ([name, used]) =>
            used && (
              <div key={name}>
                <dt>{name}</dt>
                <dd className="words">
                  <AnchorLink to="/data/$id" params={{ id: used.id }}>
                    {used.name}
                  </AnchorLink>
                </dd>
              </div>
            ),
        )}
        {fields.map((field) => (
          <div key={field}>
            <dt>{words.fields[field]}</dt>
            <dd className="words figures">{text(run, field)}</dd>
          </div>
        ))}
        {shown && layout && (
          <div className={classes.whole}>
            <dt>{words.fields.board}</dt>
            <dd>
              <BoardAsAsked label={words.fields.board} layout={layout} board={shown} />
            </dd>
          </div>
        )}
      </dl>
    </section>
  );
}
