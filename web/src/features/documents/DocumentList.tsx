/** A collection's documents: a table on a desk, cards on a phone; found by name and by state. */
import { Button, Group, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';

import { untilReached } from '../../api/problem';
import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { Segments } from '../../ui/Segments';
import { useWords } from '../../words';
import { useActivity } from './activity';
import classes from './DocumentList.module.css';
import { DocumentRow } from './DocumentRow';
import { documentsQuery, LIVE_MILLISECONDS, type Collection, type DocumentState } from './queries';
import { RemoveDocumentDialog } from './RemoveDocumentDialog';
import type { Document } from './queries';

const STATES = ['ready', 'failed', 'reading'] as const;
/** From so many on one looks for one by its name. */
const MANY = 8;

export function DocumentList({ collection }: { collection: Collection }) {
  const { list: words, title } = useWords().documents;
  const { state: wanted } = useSearch({ from: '/documents/$collection' });
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [query] = useDebouncedValue(text.trim(), 250);
  const [removing, setRemoving] = useState<Document | null>(null);
  const { busy } = useActivity(collection);
  const state = STATES.find((one) => one === wanted);
  const found = useInfiniteQuery({
    ...documentsQuery(collection.name, { ...(query ? { query } : {}), ...(state ? { state } : {}) }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { error } }) => (busy ? LIVE_MILLISECONDS : untilReached(error)),
  });
  const documents = found.data?.pages.flatMap((page) => page.documents) ?? [];
  const filter = (next: DocumentState | 'all') =>
    void navigate({
      to: '/documents/$collection',
      params: { collection: collection.name },
      search: next === 'all' ? {} : { state: next },
      replace: true,
    });
  return (
    <section aria-label={title}>
      <Group justify="space-between" gap="sm" mb="sm">
        {(collection.failed > 0 || state !== undefined) && (
          <Segments
            label={words.filter}
            value={state ?? 'all'}
            onChange={filter}
            data={(['all', ...STATES] as const)
              .filter((value) => value !== 'reading' || state === 'reading')
              .map((value) => ({ value, label: words.filters[value] }))}
          />
        )}
        {(collection.documents >= MANY || text !== '') && (
          <TextInput
            aria-label={words.find}
            placeholder={words.find}
            leftSection={<IconSearch size={16} aria-hidden />}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            maxLength={200}
            flex="0 1 18rem"
          />
        )}
      </Group>
      {found.error ? <ProblemAlert error={found.error} /> : !found.data && <Loading rows={4} height={64} />}
      {found.data && documents.length === 0 && (
        <Text c="dimmed" role="status" py="md">
          {query === '' && state === 'failed' ? words.noneFailed : words.noneFits}
        </Text>
      )}
      {documents.length > 0 && (
        <table className={classes.table} aria-label={words.label}>
          <thead>
            <tr>
              {(['document', 'format', 'extent', 'added', 'state'] as const).map((key) => (
                <th key={key} scope="col">
                  {words.columns[key]}
                </th>
              ))}
              <th scope="col">
                <span className={classes.hidden}>{words.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {documents.map((one) => (
              <DocumentRow
                key={one.id}
                document={one}
                collection={collection.name}
                onRemove={() => setRemoving(one)}
              />
            ))}
          </tbody>
        </table>
      )}
      {found.hasNextPage && (
        <Button
          variant="default"
          mt="sm"
          onClick={() => void found.fetchNextPage()}
          loading={found.isFetchingNextPage}
        >
          {words.more}
        </Button>
      )}
      {removing && <RemoveDocumentDialog document={removing} onClose={() => setRemoving(null)} />}
    </section>
  );
}
