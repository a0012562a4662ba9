/** One export: where it is, how to get it, and how far from the live variant it answers. */
import { Button, Group, Stack, Table, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { download, type Export } from './queries';

const small = (value: number) => value.toExponential(1);

export function ExportCard({ made }: { made: Export }) {
  const { exporting: words } = useWords();
  const format = useFormat();
  const client = useQueryClient();
  const name = [words.formats[made.format], made.quantization?.toUpperCase()].filter(Boolean).join(', ');
  const save = useMutation({ mutationFn: () => download(made) });
  const remove = useMutation({
    mutationFn: async () =>
      body(await api.DELETE('/api/exports/{export_id}', { params: { path: { export_id: made.id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['exports'] }),
  });
  const { parity } = made;
  return (
    <Stack className="card" gap="sm">
      <Group justify="space-between" align="flex-start">
        <div>
          <Title order={3} size="h5">
            {name}
          </Title>
          <Text size="sm" c="dimmed">
            {format.bytes(made.size)} · {format.date(made.created_at)}
          </Text>
        </div>
        <Group gap="xs">
          <Button
            variant="default"
            leftSection={<IconDownload size={18} aria-hidden />}
            onClick={() => save.mutate()}
            loading={save.isPending}
            aria-label={words.downloadOf(name)}
          >
            {words.download}
          </Button>
          <ConfirmButton
            title={words.removeTitle}
            hint={words.removeHint}
            confirm={words.remove}
            onConfirm={() => remove.mutate()}
            loading={remove.isPending}
            label={`${words.remove}: ${name}`}
          >
            {words.remove}
          </ConfirmButton>
        </Group>
      </Group>
      {(save.error ?? remove.error) && <ProblemAlert error={save.error ?? remove.error} />}
      <Text size="sm" className="words">
        {words.compared(parity.live, parity.exported)}:{' '}
        {parity.bound === null
          ? words.recorded(small(parity.largest))
          : words.within(small(parity.largest), small(parity.bound))}
      </Text>
      <Table.ScrollContainer minWidth={460} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table className="figures" aria-label={words.differences}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.prompt}</Table.Th>
              <Table.Th>{words.tokens}</Table.Th>
              <Table.Th>{words.largest}</Table.Th>
              <Table.Th>{words.mean}</Table.Th>
              <Table.Th>{words.greedy}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {parity.prompts.map((one) => (
              <Table.Tr key={one.prompt}>
                <Table.Td className="words">{one.prompt}</Table.Td>
                <Table.Td>{one.tokens}</Table.Td>
                <Table.Td>{small(one.largest)}</Table.Td>
                <Table.Td>{small(one.mean)}</Table.Td>
                <Table.Td>
                  {one.parts_at === null ? words.same : words.parts(String(one.parts_at + 1))}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="xs" c="dimmed">
        {words.unit}
      </Text>
      {made.path && (
        <Group gap="xs">
          <Text size="sm" c="dimmed" className="words">
            {words.path}: <code>{made.path}</code>
          </Text>
        </Group>
      )}
    </Stack>
  );
}
