/** What an export is asked for with, and how far the newest is. */
import { Button, Checkbox, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, body } from '../../api/client';
import { isOver } from '../../api/queries';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { Segments } from '../../ui/Segments';
import { useWords } from '../../words';
import { exportJobQuery, type Format } from './queries';

const FORMATS = ['peft', 'merged', 'gguf'] as const;
const TYPES = ['f32', 'f16', 'q8_0', 'q4_0'] as const;

export function ExportForm({ variant }: { variant: string }) {
  const { exporting: words } = useWords();
  const [format, setFormat] = useState<Format>('peft');
  const [type, setType] = useState<(typeof TYPES)[number]>('f16');
  const [dequantize, setDequantize] = useState(false);
  const client = useQueryClient();
  const { data: newest } = useQuery(exportJobQuery(variant));
  const start = useMutation({
    mutationFn: async () =>
      body(
        await api.POST('/api/models/{variant}/export', {
          params: { path: { variant } },
          body: {
            format,
            quantization: format === 'gguf' ? type : null,
            dequantize: format !== 'peft' && dequantize,
            prompts: [],
          },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['jobs'] }),
  });
  return (
    <Stack className="card">
      <Segments
        label={words.format}
        value={format}
        onChange={(chosen) => {
          setFormat(chosen);
          start.reset();
        }}
        data={FORMATS.map((value) => ({ value, label: words.formats[value] }))}
      />
      <Text size="sm" c="dimmed">
        {words.hints[format]}
      </Text>
      {format === 'gguf' && (
        <NativeSelect
          label={words.quantization}
          value={type}
          onChange={(event) => setType(event.currentTarget.value as typeof type)}
          data={TYPES.map((value) => ({ value, label: value.toUpperCase() }))}
          maw={240}
        />
      )}
      {format !== 'peft' && (
        <Checkbox
          label={words.dequantize}
          description={words.dequantizeHint}
          checked={dequantize}
          onChange={(event) => setDequantize(event.currentTarget.checked)}
        />
      )}
      {start.error && <ProblemAlert error={start.error} />}
      <Group>
        <Button
          onClick={() => start.mutate()}
          loading={start.isPending}
          disabled={newest !== undefined && newest !== null && !isOver(newest.state)}
        >
          {words.start}
        </Button>
      </Group>
      {newest && newest.state !== 'succeeded' && <JobProgress key={newest.id} id={newest.id} />}
    </Stack>
  );
}
