/** Samples as training sees them: which tokens are read as the prompt, and which are trained. */
import { Button, Group, NativeSelect, Stack, Text, Title, VisuallyHidden } from '@mantine/core';
import { IconEye } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { api, body } from '../../api/client';
import { modelsQuery } from '../../api/queries';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './DataSet.module.css';
import { NumberField } from './NumberField';
import { Part } from './Part';
import type { DataSetEntry, SeenRow } from './queries';
import { runsOf } from './tokens';

const MOST = 20;

export function TokensPart({ set }: { set: DataSetEntry }) {
  const { tokens: words } = useWords().data;
  const models = useQuery(modelsQuery).data;
  const bases = (models ?? []).filter(({ base }) => base.format !== 'remote').map(({ base }) => base.name);
  const [chosen, setBase] = useState(set.checked?.base ?? '');
  const base = bases.includes(chosen) ? chosen : (bases[0] ?? '');
  const [line, setLine] = useState<number | undefined>(1);
  const [count, setCount] = useState<number | undefined>(3);
  const show = useMutation({
    mutationFn: async () =>
      body(
        await api.POST('/api/data/{data_id}/tokens', {
          params: { path: { data_id: set.id } },
          body: { base, line: line ?? 1, count: count ?? 1 },
        }),
      ),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    show.mutate();
  };
  return (
    <Part id="tokens" title={words.title} lead={words.lead}>
      {models && bases.length === 0 ? (
        <Group mt="sm">
          <Text>{words.needsBase}</Text>
          <ButtonLink to="/models" variant="default">
            {words.toModels}
          </ButtonLink>
        </Group>
      ) : (
        <form onSubmit={submit}>
          <Stack mt="sm">
            <div className={classes.fields}>
              <NativeSelect
                label={words.base}
                value={base}
                onChange={(event) => setBase(event.currentTarget.value)}
                data={bases}
              />
              <NumberField label={words.line} min={1} value={line} onChange={setLine} />
              <NumberField label={words.count} min={1} max={MOST} value={count} onChange={setCount} />
            </div>
            <Group>
              <Button
                type="submit"
                variant="default"
                leftSection={<IconEye size={18} aria-hidden />}
                loading={show.isPending}
                disabled={base === ''}
              >
                {words.submit}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
      {show.error && <ProblemAlert error={show.error} />}
      {show.data && <Rows rows={show.data} />}
    </Part>
  );
}

function Rows({ rows }: { rows: readonly SeenRow[] }) {
  const { tokens: words } = useWords().data;
  if (rows.length === 0)
    return (
      <Text mt="sm" role="status">
        {words.none}
      </Text>
    );
  return (
    <Stack mt="md">
      <ul className={classes.legend} aria-label={words.legend}>
        <li className={classes.prompt}>{words.prompt}</li>
        <li>
          <span className={classes.trained}>{words.trained}</span>
        </li>
      </ul>
      {rows.map((row, place) => (
        <Row key={place} row={row} />
      ))}
    </Stack>
  );
}

function Row({ row }: { row: SeenRow }) {
  const { tokens: words } = useWords().data;
  const format = useFormat();
  return (
    <article className={classes.row}>
      <Group justify="space-between" mb="xs" gap="xs">
        <Title order={3} size="h6">
          {words.sample(format.count(row.line))}
        </Title>
        <Text size="sm" c="dimmed" className="figures">
          {words.figures(format.count(row.trained), format.count(row.tokens.length))}
        </Text>
      </Group>
      <p className={classes.tokens}>
        {runsOf(row).map(({ trained, tokens }, place) => (
          <span key={place} className={trained ? classes.trained : classes.prompt}>
            <VisuallyHidden component="span">
              {(trained ? words.trainedStarts : words.promptStarts)(format.count(tokens.length))}
            </VisuallyHidden>
            {tokens.map((text, number) => (
              <span key={number} className={classes.token}>
                {text}
              </span>
            ))}
          </span>
        ))}
      </p>
    </article>
  );
}
