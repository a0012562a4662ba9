/** What the run learned from: looked at when asked for, and kept as a file. */
import { Button, Group, Text, Title } from '@mantine/core';
import { IconDownload, IconEye } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';

import { ProblemAlert } from '../../ui/ProblemAlert';
import { Loading } from '../../ui/Loading';
import { saveText } from '../../ui/saveText';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { dataQuery } from './queries';
import { readSamples } from './samples';
import { SamplesPreview } from './SamplesPreview';

export function RunData({ id, name }: { id: string; name: string }) {
  const { data: words, form } = useWords().runs;
  const format = useFormat();
  const [asked, setAsked] = useState(false);
  const { data, error } = useQuery({ ...dataQuery(id), enabled: asked });
  const reading = useMemo(() => (data === undefined ? null : readSamples(data, 'messages')), [data]);
  return (
    <section className="card">
      <Group justify="space-between">
        <Title order={2} size="h4">
          {words.title}
        </Title>
        {data === undefined ? (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconEye size={15} aria-hidden />}
            onClick={() => setAsked(true)}
            loading={asked && !error}
          >
            {words.show}
          </Button>
        ) : (
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={15} aria-hidden />}
            onClick={() => saveText(data, `${name}.jsonl`, 'application/jsonl')}
          >
            {words.save}
          </Button>
        )}
      </Group>
      {error && <ProblemAlert error={error} again={() => setAsked(true)} />}
      {asked && !error && !reading && <Loading rows={1} height={96} />}
      {reading && (
        <>
          <Text size="sm" c="dimmed" className="figures">
            {form.lines(format.count(reading.count))}
          </Text>
          <SamplesPreview reading={reading} kind="messages" />
        </>
      )}
    </section>
  );
}
