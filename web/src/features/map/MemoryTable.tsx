/** What training an adapter on this base takes on devices by their published figures. */
import { Badge, Table, Text, Title } from '@mantine/core';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Mapped } from './queries';

export function MemoryTable({ found }: { found: Mapped }) {
  const words = useWords().map;
  const format = useFormat();
  const devices = [...new Set(found.memory.map(({ name }) => name))];
  const of = (name: string, method: 'lora' | 'qlora') =>
    found.memory.find((one) => one.name === name && one.method === method);
  return (
    <section className="card">
      <Title order={2} size="h4">
        {words.memory}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {words.memoryHint(
          format.count(found.rank),
          format.count(found.tokens),
          format.compact(found.trainable_parameters),
        )}{' '}
        {found.is_approximate && words.approximate}
      </Text>
      <Table.ScrollContainer minWidth={330} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table className="figures" aria-label={words.memory}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.device}</Table.Th>
              <Table.Th>LoRA</Table.Th>
              <Table.Th>QLoRA</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {devices.map((name) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" fw={500}>
                  {name}
                </Table.Th>
                {(['lora', 'qlora'] as const).map((method) => {
                  const one = of(name, method);
                  return (
                    <Table.Td key={method}>
                      {one && (
                        <>
                          {format.bytes(one.peak_bytes)}{' '}
                          <Badge variant={one.fits ? 'light' : 'outline'} color={one.fits ? 'cyan' : 'red'}>
                            {one.fits ? words.fits : words.tooLarge}
                          </Badge>
                        </>
                      )}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  );
}
