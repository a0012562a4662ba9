/** Several sets as one: by weight, with guarantees. */
import { Button, CloseButton, Group, Stack, Text, TextInput, Title, Checkbox } from '@mantine/core';
import { useState, type FormEvent } from 'react';

import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './DataTable.module.css';
import fields from './DataSet.module.css';
import { mixOf, type MixDraft } from './mixing';
import { NumberField } from './NumberField';
import { samplesOf } from './origin';
import { startMix, useStart, type DataSet } from './queries';

interface Props {
  sets: readonly DataSet[];
  onClose: () => void;
}

export function MixForm({ sets, onClose }: Props) {
  const { data, jobs } = useWords();
  const { mix: words, columns, split } = data;
  const format = useFormat();
  const [draft, setDraft] = useState<MixDraft>({ name: words.usualName, chosen: {}, window: 1000, seed: 0 });
  const mix = mixOf(draft);
  const start = useStart(startMix);
  const edit = (to: Partial<MixDraft>) => {
    setDraft({ ...draft, ...to });
    if (start.error) start.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (mix) start.mutate(mix, { onSuccess: onClose });
  };
  return (
    <section className="card" aria-labelledby="mix">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Title order={2} size="h4" id="mix">
          {words.title}
        </Title>
        <CloseButton onClick={onClose} aria-label={jobs.close} />
      </Group>
      <Text size="sm" c="dimmed" mt={4} mb="sm">
        {words.lead}
      </Text>
      <form onSubmit={submit}>
        <Stack>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">{words.sets}</th>
                <th scope="col">{columns.rows}</th>
                <th scope="col">{words.weight}</th>
                <th scope="col">{words.atLeast}</th>
              </tr>
            </thead>
            <tbody>
              {sets.map(({ id, name, samples, made }) => {
                const one = draft.chosen[id];
                const rows = samples ?? samplesOf(made);
                const change = (to: NonNullable<typeof one>) =>
                  edit({ chosen: { ...draft.chosen, [id]: { ...one, ...to } } });
                return (
                  <tr key={id}>
                    <th scope="row">
                      <Checkbox
                        label={name}
                        checked={one !== undefined}
                        onChange={(event) => {
                          const { [id]: _, ...others } = draft.chosen;
                          edit({ chosen: event.currentTarget.checked ? { ...others, [id]: {} } : others });
                        }}
                      />
                    </th>
                    <td data-label={columns.rows} className="figures">
                      {rows === null ? data.unchecked : format.count(rows)}
                    </td>
                    <td data-label={words.weight}>
                      <NumberField
                        aria-label={words.weightOf(name)}
                        w={96}
                        size="xs"
                        min={0}
                        allowDecimal
                        placeholder="1"
                        disabled={!one}
                        value={one?.weight}
                        onChange={(weight) => change({ weight })}
                      />
                    </td>
                    <td data-label={words.atLeast}>
                      <NumberField
                        aria-label={words.atLeastOf(name)}
                        w={96}
                        size="xs"
                        min={0}
                        placeholder="0"
                        disabled={!one}
                        value={one?.atLeast}
                        onChange={(atLeast) => change({ atLeast })}
                      />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
          <div className={fields.fields}>
            <TextInput
              label={words.name}
              value={draft.name}
              maxLength={200}
              autoComplete="off"
              onChange={(event) => edit({ name: event.currentTarget.value })}
            />
            <NumberField
              label={words.window}
              min={1}
              max={1_000_000}
              value={draft.window}
              onChange={(window) => edit({ window })}
            />
            <NumberField
              label={words.length}
              description={words.lengthHint}
              min={1}
              max={10_000_000}
              value={draft.length}
              onChange={(length) => edit({ length })}
            />
            <NumberField
              label={split.seed}
              min={0}
              max={2 ** 32 - 1}
              value={draft.seed}
              onChange={(seed) => edit({ seed })}
            />
          </div>
          {start.error && <ProblemAlert error={start.error} />}
          <Group>
            <Button type="submit" loading={start.isPending} disabled={mix === null}>
              {words.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </section>
  );
}
