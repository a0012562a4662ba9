/** Body, embeddings and head: how the parameters are spread, and what lies outside the layers. */
import { Code, Table, Text, Title } from '@mantine/core';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './MapView.module.css';
import type { ModelMap } from './queries';

const PARTS = ['body', 'embeddings', 'head'] as const;

export function Outside({ map }: { map: ModelMap }) {
  const words = useWords().map;
  const format = useFormat();
  const parts = PARTS.filter((part) => map[part] > 0);
  const outside = map.modules.filter(({ stack }) => stack === null);
  return (
    <section className="card">
      <Title order={2} size="h4">
        {words.parameters(format.compact(map.parameters))}
      </Title>
      <div className={classes.bar} aria-hidden>
        {parts.map((part) => (
          <div key={part} data-part={part} style={{ flexGrow: map[part] }} />
        ))}
      </div>
      <ul className={`${classes.parts} figures`}>
        {parts.map((part) => (
          <li key={part} data-part={part}>
            {words.parts[part]} {format.compact(map[part])}
          </li>
        ))}
      </ul>
      {map.is_tied && (
        <Text size="sm" c="dimmed" mb="sm">
          {words.tied}
        </Text>
      )}
      <details>
        <summary>{words.outside(format.count(outside.length))}</summary>
        <Table.ScrollContainer minWidth={420} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
          <Table className="figures" aria-label={words.outsideTable}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{words.module}</Table.Th>
                <Table.Th>{words.role}</Table.Th>
                <Table.Th>{words.shape}</Table.Th>
                <Table.Th>{words.dtype}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {outside.map((module) => (
                <Table.Tr key={`${module.name} ${module.dtype}`}>
                  <Table.Td>
                    <Code className={classes.module ?? ''}>{module.name}</Code>
                  </Table.Td>
                  <Table.Td>{words.roles[module.role]}</Table.Td>
                  <Table.Td>{module.shape.map(format.count).join(' × ')}</Table.Td>
                  <Table.Td>{module.dtype}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </details>
    </section>
  );
}
