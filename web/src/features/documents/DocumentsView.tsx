/** `/documents`: the collections, what goes into them, and where it may come from. */
import { List } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { collectionsQuery } from './queries';

export function DocumentsView() {
  const { documents: words } = useWords();
  const { data: collections, error } = useQuery(collectionsQuery);
  return (
    <Page title={words.title} lead={words.lead}>
      {error ? <ProblemAlert error={error} /> : !collections && <Loading />}
      {collections && (
        <List>
          {collections.map(({ id, name }) => (
            <List.Item key={id}>
              <AnchorLink to="/documents/$collection" params={{ collection: name }}>
                {name}
              </AnchorLink>
            </List.Item>
          ))}
        </List>
      )}
    </Page>
  );
}
