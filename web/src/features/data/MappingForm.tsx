/** What columns mean, said by hand, where it was not recognized or was recognized wrongly. */
import { Button, CloseButton, Collapse, Group, NativeSelect, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { api, body } from '../../api/client';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { Segments } from '../../ui/Segments';
import { useSpeech } from '../../words';
import classes from './DataSet.module.css';
import { columnsOf, faultOf, FURTHER, KINDS, kindOf, REQUIRED, type Draft, type Meaning } from './mapping';
import { dataSetQuery, startCheck, useStart, type DataSetEntry } from './queries';

interface Props {
  set: DataSetEntry;
  onClose?: () => void;
}

export function MappingForm({ set, onClose }: Props) {
  const { words: all, language } = useSpeech();
  const { mapping: words } = all.data;
  const client = useQueryClient();
  const { names, why, columns, format } = set.recognized;
  const [kind, setKind] = useState(() => kindOf(format, names.length));
  const [draft, setDraft] = useState<Draft>({ ...columns, ...set.columns });
  const [opened, { toggle }] = useDisclosure();
  const check = useStart(() => startCheck(set.id));
  const read = useMutation({
    mutationFn: async () =>
      body(
        await api.PATCH('/api/data/{data_id}', {
          params: { path: { data_id: set.id } },
          body: { columns: columnsOf(kind, draft) },
        }),
      ),
    onSuccess: async (changed) => {
      client.setQueryData(dataSetQuery(set.id).queryKey, changed);
      await client.invalidateQueries({ queryKey: ['data'], exact: true });
      check.mutate();
      onClose?.();
    },
  });
  const fault = faultOf(kind, draft);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    read.mutate();
  };
  const field = (meaning: Meaning, required: boolean) => {
    const hints: Partial<Record<Meaning, string>> = words.hints;
    return (
      <NativeSelect
        key={meaning}
        label={words.meanings[meaning]}
        description={hints[meaning]}
        inputWrapperOrder={['label', 'input', 'description']}
        required={required}
        value={draft[meaning] ?? ''}
        onChange={(event) => {
          setDraft({ ...draft, [meaning]: event.currentTarget.value });
          if (read.error) read.reset();
        }}
        data={[{ value: '', label: words.nothing }, ...names.map((name) => ({ value: name, label: name }))]}
      />
    );
  };
  return (
    <section className="card" aria-labelledby="mapping">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Title order={2} size="h4" id="mapping">
          {words.title}
        </Title>
        {onClose && <CloseButton onClick={onClose} aria-label={all.jobs.close} />}
      </Group>
      {why && (
        <Text mt={4} className="words">
          {why[language]}
        </Text>
      )}
      <Text size="sm" c="dimmed" mt={4}>
        {names.length > 0 ? words.hint : words.empty}
      </Text>
      {names.length > 0 && (
        <form onSubmit={submit}>
          <Stack mt="md" align="stretch">
            <div>
              <Segments
                label={words.kind}
                value={kind}
                onChange={setKind}
                data={KINDS.map((value) => ({ value, label: words.kinds[value] }))}
              />
            </div>
            <div className={classes.fields}>
              {REQUIRED[kind].map((meaning) => field(meaning, kind !== 'preference' || meaning !== 'prompt'))}
            </div>
            <Group>
              <Button
                variant="subtle"
                size="compact-sm"
                ms={-8}
                onClick={toggle}
                aria-expanded={opened}
                aria-controls="further"
              >
                {words.further}
              </Button>
            </Group>
            <Collapse expanded={opened} id="further">
              <div className={classes.fields}>{FURTHER[kind].map((meaning) => field(meaning, false))}</div>
            </Collapse>
            {fault === 'twice' && (
              <Text size="sm" role="alert" c="var(--mantine-color-error)">
                {words.twice}
              </Text>
            )}
            {read.error && <ProblemAlert error={read.error} />}
            <Group>
              <Button type="submit" loading={read.isPending} disabled={fault !== null}>
                {words.submit}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </section>
  );
}
