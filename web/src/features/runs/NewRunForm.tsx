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
import { Forecast } from './Forecast';
import { GoalFields } from './GoalFields';
import { Presets, type Preset } from './Presets';
import { keepRun, startRun, takenBy, type DataSet } from './queries';
import { breaks, draftOf, freeName, recipeOf, withBoard, type Draft } from './recipe';
import { RecipeFields, useRules } from './RecipeFields';
import { RecipeText } from './RecipeText';
import { NO_SAMPLES } from './SamplesInput';

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
  onClose?: () => void;
}

export function NewRunForm({ bases, wanted, from, set, onClose }: Props) {
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
  }));
  const [preset, setPreset] = useState<Preset | null>(null);
  const rules = useRules();
  const client = useQueryClient();
  const navigate = useNavigate();
  const base = (bases.find((entry) => entry.base.id === baseId) ?? bases[0])?.base;
  const columns = useColumns(base?.name);
  // Beside a data set no rows are sent.
  const data = draft.data_id ? null : samples.text;
  const hasData = data === null || data.trim() !== '';
  const start = useMutation({
    mutationFn: () => startRun({ base: base?.name ?? '', name: name.trim(), ...recipeOf(draft) }, data),
    onSuccess: async (run) => {
      keepRun(client, run);
      await navigate({ to: '/runs/$runId', params: { runId: run.job.id } });
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
  const ready = name.trim() !== '' && nameFault(name, taken) === null && hasData && !isOut;
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
              taken={taken}
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
                columns={draft.board ? [] : columns}
              />
            </Grid.Col>
            <Grid.Col span={{ base: 12, md: 4 }}>
              <RecipeText base={base?.name ?? ''} name={name.trim()} draft={draft} />
            </Grid.Col>
          </Grid>
          <TrainingBoard
            base={base?.name ?? ''}
            board={draft.board ?? null}
            onChange={(board) => edit(setDraft)(withBoard(draft, board))}
          />
          <Forecast
            recipe={{ base: base?.name ?? '', name: name.trim() || 'forecast', ...recipeOf(draft) }}
            data={data}
            ready={hasData && !isOut}
          />
          {start.error && <ProblemAlert error={start.error} />}
          <Group>
            <Button type="submit" size="md" loading={start.isPending} disabled={!ready}>
              {words.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </section>
  );
}
