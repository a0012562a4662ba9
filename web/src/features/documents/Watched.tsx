/** The folder of the studio's machine whose documents are taken in by themselves: where it is, and how it stands. */
import { Badge, Group, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { CopyText } from '../../ui/CopyText';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { collectionsQuery, watchedQuery, type WatchedFolder } from './queries';

const COLOURS: Record<WatchedFolder['state'], string> = {
  absent: 'gray',
  empty: 'gray',
  changing: 'cyan',
  taken_in: 'teal',
  unreadable: 'red',
};
const CLASSES = { taken_in: 'state-succeeded', unreadable: 'state-failed' } as Record<string, string>;

export function Watched() {
  const { documents } = useWords();
  const { watched: words } = documents;
  const format = useFormat();
  const { data: folder } = useQuery(watchedQuery);
  const collections = useQuery(collectionsQuery).data;
  if (!folder) return null;
  const isThere = collections?.some(({ name }) => name === folder.collection);
  return (
    <section className="card">
      <Group gap="sm" mb={4}>
        <Title order={2} size="h4">
          {words.title}
        </Title>
        <Badge variant="light" color={COLOURS[folder.state]} className={CLASSES[folder.state] ?? ''}>
          {words.short[folder.state]}
        </Badge>
      </Group>
      <Text size="sm" c="dimmed" className="lead">
        {words.lead}
      </Text>
      <Group gap="xs" mt="sm">
        <CopyText text={folder.path} label={words.path} keep={400} />
      </Group>
      <Text size="sm" mt="xs" role="status">
        {folder.problem ?? words.states[folder.state]}
        {folder.files > 0 && (
          <>
            {` ${words.files(format.count(folder.files))}, `}
            {isThere ? (
              <AnchorLink to="/documents/$collection" params={{ collection: folder.collection }} size="sm">
                {words.into(folder.collection)}
              </AnchorLink>
            ) : (
              words.into(folder.collection)
            )}
            {'.'}
          </>
        )}
      </Text>
    </section>
  );
}
