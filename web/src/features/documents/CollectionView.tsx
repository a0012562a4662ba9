/** `/documents/$collection`: a collection's documents, and what became of the reading. */
import { List } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';

import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { collectionQuery, documentsQuery } from './queries';

export function CollectionView() {
  const { documents: words } = useWords();
  const { collection: name } = useParams({ from: '/documents/$collection' });
  const { data: collection, error } = useQuery(collectionQuery(name));
  const documents = useInfiniteQuery(documentsQuery(name));
  return (
    <Page title={collection?.name ?? name} part={words.title}>
      {error ? <ProblemAlert error={error} /> : !collection && <Loading />}
      <List>
        {documents.data?.pages.flatMap((page) =>
          page.documents.map(({ id, title }) => <List.Item key={id}>{title}</List.Item>),
        )}
      </List>
    </Page>
  );
}
