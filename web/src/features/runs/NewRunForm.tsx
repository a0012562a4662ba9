/** Start a run: base, name, examples, recipe. What is left empty is the recipe's default. */
import { Button, CloseButton, Grid, Group, NativeSelect, Stack, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';

import { useColumns } from '../../api/board';
import type { BaseEntry, Run } from '../../api/queries';
import { NameInput } from '../../ui/NameInput';
import { nameFault } from '../../ui/names';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { TrainingBoard } from '../board/TrainingBoard';
import { DataFields } from './DataFields';
import { DoubtAlert, Forecast, useForecast } from './Forecast';
import { GoalFields } from './GoalFields';
import { Presets, type Preset } from './Presets';
import { keepRun, startRun, startSweep, takenBy, type DataSet } from './queries';
import { breaks, draftOf, freeName, placeless, recipeOf, withBoard, type Draft } from './recipe';
import { RecipeFields, useRules } from './RecipeFields';
import { RecipeText } from './RecipeText';
import { NO_SAMPLES } from './SamplesInput';
import { heaviest, namesOf, newId, sweepFault, type Sweep } from './sweep';
import { SweepFields } from './SweepFields';

const NOBODY: ReadonlySet<string> = new Set();

/** An earlier run, to begin with its settings and its data: rows, or sets that are still there. */
export interface Earlier {
  run: Run;
  data: string | null;
  set: DataSet | null;
  heldOut: DataSet | null;
}

interface Props {
  /** The ones that can be trained here. */
  bases: readonly BaseEntry[];
  /** The name of the base that one comes from. */
  wanted?: string | undefined;
  from?: Earlier | undefined;
  /** The data set to begin with. */
  set?: DataSet | undefined;
  /** What stands in the recipe already. */
  begun?: Draft | undefined;
  onClose?: () => void;
}

export function NewRunForm({ bases, wanted, from, set, begun, onClose }: Props) {
  const { runs, jobs } = useWords();
  const words = runs.form;
  const taken = takenBy(bases);
  const [baseId, setBaseId] = useState(
    () => bases.find(({ base }) => base.id === from?.run.base_id || base.name === wanted)?.base.id ?? '',
  );
  const [name, setName] = useState(() => (from ? freeName(from.run.recipe.name, taken) : ''));
  const [samples, setSamples] = useState(from?.data ? { text: from.data, file: words.data } : NO_SAMPLES);
  const [draft, setDraft] = useState<Draft>(() => ({
    ...(from ? draftOf(from.run.recipe) : {}),
    data_id: set?.id ?? from?.set?.id ?? null,
    held_out_id: from?.heldOut?.id ?? null,
    ...begun,
  }));
  const [preset, setPreset] = useState<Preset | null>(null);
  const [sweep, setSweep] = useState<Sweep | null>(null);
  // The same request once more, after an answer that was lost, finds the runs that it has started.
  const [ids] = useState(() => new Map<string, string>());
  const rules = useRules();
  const client = useQueryClient();
  const navigate = useNavigate();
  const base = (bases.find((entry) => entry.base.id === baseId) ?? bases[0])?.base;
  const columns = useColumns(base?.name);
  // Beside a data set no rows are sent.
  const data = draft.data_id ? null : samples.text;
  const hasData = data === null || data.trim() !== '';
  const onBoards = sweep !== null && sweep.boards.length > 0;
  const common = onBoards ? placeless(draft) : draft;
  const named = { base: base?.name ?? '', name: name.trim() };
  const forecast = useForecast({
    recipe: {
      ...named,
      name: named.name || 'forecast',
      ...recipeOf(onBoards ? withBoard(draft, heaviest(sweep.boards)?.rows ?? null) : draft),
    },
    data,
  });
  const { doubt } = forecast;
  const start = useMutation({
    mutationFn: async () => {
      const asked = { recipe: { ...named, ...recipeOf(common) }, data, force: doubt?.kind === 'memory' };
      if (sweep === null) return startRun(asked);
      const request = JSON.stringify([asked, sweep]);
      const id = ids.get(request) ?? newId();
      ids.set(request, id);
      return startSweep(id, asked, sweep);
    },
    onSuccess: async (started) => {
      if (!Array.isArray(started)) {
        keepRun(client, started);
        await navigate({ to: '/runs/$runId', params: { runId: started.job.id } });
        return;
      }
      await client.invalidateQueries({ queryKey: ['runs'] });
      await navigate({ to: '/runs/sweeps/$sweepId', params: { sweepId: started[0]?.sweep ?? '' } });
    },
  });
  const edit =
    <T,>(set: (value: T) => void) =>
    (value: T) => {
      set(value);
      if (start.error) start.reset();
    };
  const begin = (next: Preset | null) => {
    setPreset(next);
    const { goal = null, data_id = null, held_out_id = null } = draft;
    const fields: Draft = next ? draftOf(next.recipe) : {};
    edit(setDraft)({ ...fields, goal, data_id, held_out_id });
    const made = bases.find((entry) => entry.base.name === next?.recipe.base);
    if (made) setBaseId(made.base.id);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate();
  };
  const isOut = Object.entries(draft).some(
    ([field, value]) => typeof value === 'number' && breaks(rules?.[field], value),
  );
  const fault = sweep && sweepFault(sweep, named.name, taken, rules?.seed);
  const isNamed = named.name !== '' && nameFault(name, sweep ? NOBODY : taken) === null;
  const ready = isNamed && hasData && !isOut && fault === null;
  return (
    <section className="card">
      <Group justify="space-between" mb="md" wrap="nowrap" align="flex-start">
        <Title order={2} size="h4" className="words">
          {from ? words.again(from.run.recipe.name) : words.title}
        </Title>
        {onClose && <CloseButton onClick={onClose} aria-label={jobs.close} />}
      </Group>
      <form onSubmit={submit} noValidate>
        <Stack gap="lg">
          <Group grow preventGrowOverflow={false} align="flex-start" gap="md">
            <NativeSelect
              flex="1 1 16rem"
              label={words.base}
              value={base?.id ?? ''}
              onChange={(event) => edit(setBaseId)(event.currentTarget.value)}
              data={bases.map((entry) => ({ value: entry.base.id, label: entry.base.name }))}
            />
            <NameInput
              flex="1 1 16rem"
              label={words.name}
              value={name}
              onChange={edit(setName)}
              taken={sweep ? NOBODY : taken}
              required
            />
          </Group>
          <DataFields draft={draft} onDraft={edit(setDraft)} samples={samples} onSamples={edit(setSamples)} />
          <GoalFields goal={draft.goal} onChange={(goal) => edit(setDraft)({ ...draft, goal })} />
          <Presets
            chosen={preset}
            onChoose={begin}
            hasBase={(wish) => bases.some((entry) => entry.base.name === wish)}
          />
          <Grid gap="xl">
            <Grid.Col span={{ base: 12, md: 8 }}>
              <RecipeFields
                // What a preset sets is not to stay folded away.
                key={preset?.name ?? ''}
                draft={draft}
                onChange={edit(setDraft)}
                columns={draft.board || onBoards ? [] : columns}
              />
            </Grid.Col>
            <Grid.Col span={{ base: 12, md: 4 }}>
              <RecipeText {...named} draft={common} sweep={sweep} />
            </Grid.Col>
          </Grid>
          {!onBoards && (
            <TrainingBoard
              base={named.base}
              board={draft.board ?? null}
              onChange={(board) => edit(setDraft)(withBoard(draft, board))}
            />
          )}
          <SweepFields {...named} sweep={sweep} fault={fault} onChange={edit(setSweep)} />
          <Forecast
            forecast={forecast}
            ready={hasData && !isOut}
            runs={sweep ? namesOf(named.name, sweep).length : 1}
            onTake={(changes) => edit(setDraft)({ ...draft, ...changes })}
          />
          {start.error && <ProblemAlert error={start.error} />}
          {doubt && <DoubtAlert doubt={doubt} />}
          <Group>
            <Button
              type="submit"
              size="md"
              loading={start.isPending}
              disabled={!ready}
              {...(doubt ? { variant: 'outline', color: 'red' } : {})}
            >
              {doubt ? runs.force.submit : sweep ? runs.sweep.submit : words.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </section>
  );
}
