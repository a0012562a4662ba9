/** The modules of one cell: their shapes, what they weigh, and what a low-rank change on them has. */
import { Code, Group, NumberInput, Table, Text, Title } from '@mantine/core';
import { useState } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './MapView.module.css';
import { loraOf, modulesIn, sensitivityIn, type Place } from './places';
import type { ModelMap, Sensed } from './queries';

interface Props {
  map: ModelMap;
  place: Place;
  /** The rank that is shown first. */
  first: number;
  sensed: Sensed | null;
}

export function CellModules({ map, place, first, sensed }: Props) {
  const words = useWords().map;
  const format = useFormat();
  const [rank, setRank] = useState(first);
  const held = modulesIn(map, place);
  const total = held.reduce(
    (sum, { module, layers }) => sum + (loraOf(module, rank) ?? 0) * module.count * layers.length,
    0,
  );
  return (
    <section className="card" aria-live="polite">
      <Group justify="space-between" align="flex-end" mb="sm">
        <Title order={2} size="h4" className="words">
          {words.inCell(place.column, words.range(place.first, place.last))}
        </Title>
        <NumberInput
          label={words.rank}
          value={rank}
          onChange={(value) => typeof value === 'number' && setRank(Math.max(1, Math.round(value)))}
          min={1}
          max={512}
          w={110}
        />
      </Group>
      <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table className="figures" aria-label={words.modules}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{words.module}</Table.Th>
              <Table.Th>{words.shape}</Table.Th>
              <Table.Th>{words.dtype}</Table.Th>
              <Table.Th>{words.each}</Table.Th>
              <Table.Th>{words.times}</Table.Th>
              <Table.Th>{words.lora}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {held.map(({ module, layers }) => {
              const added = loraOf(module, rank);
              return (
                <Table.Tr key={`${module.name} ${module.dtype}`}>
                  <Table.Td>
                    <Code className={classes.module ?? ''}>
                      {layers.length === 1 ? module.name.replace('{}', String(layers[0])) : module.name}
                    </Code>
                  </Table.Td>
                  <Table.Td>{module.shape.map(format.count).join(' × ')}</Table.Td>
                  <Table.Td>{module.dtype}</Table.Td>
                  <Table.Td>{format.count(module.parameters)}</Table.Td>
                  <Table.Td>{format.count(layers.length * module.count)}</Table.Td>
                  <Table.Td>
                    {added === null
                      ? '–'
                      : module.largest_rank !== null && rank > module.largest_rank
                        ? words.atMost(format.count(module.largest_rank))
                        : format.count(added)}
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="sm" className="figures">
        {words.added(format.count(total))}
      </Text>
      {sensed && (
        <Text size="sm" className="figures">
          {words.sensitivity.short}:{' '}
          {sensitivityIn(sensed, place)
            .map((one) => `${one.name} ${format.decimal(one.relative, 2)}`)
            .join(' · ')}
        </Text>
      )}
    </section>
  );
}
