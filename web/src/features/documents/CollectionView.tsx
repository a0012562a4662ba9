/** `/documents/$collection`: a collection's documents, what goes into it, and how it is kept. */
import { IconMessage, IconSearch, IconStack2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';

import { hasStatus, untilReached } from '../../api/problem';
import { EmptyState } from '../../ui/EmptyState';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { AnchorLink, ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { Activity } from './Activity';
import { useActivity } from './activity';
import { CollectionActions } from './CollectionActions';
import { CollectionFacts } from './CollectionFacts';
import { DocumentList } from './DocumentList';
import { Intake } from './Intake';
import { collectionQuery, LIVE_MILLISECONDS, type Collection } from './queries';
import { useIntake } from './useIntake';

export function CollectionView() {
  const { documents: words } = useWords();
  const { collection: name } = useParams({ from: '/documents/$collection' });
  const { busy } = useActivity();
  const { data: collection, error } = useQuery({
    ...collectionQuery(name),
    refetchInterval: ({ state }) => (busy ? LIVE_MILLISECONDS : untilReached(state.error)),
  });
  if (collection && !hasStatus(error, 404)) return <Found key={collection.id} collection={collection} />;
  return (
    <Page
      title={name}
      part={words.title}
      back={<AnchorLink to="/documents">{words.allCollections}</AnchorLink>}
    >
      {hasStatus(error, 404) ? (
        <EmptyState
          icon={<IconStack2 size={28} />}
          title={words.unknown(name)}
          hint={words.unknownHint}
          action={<ButtonLink to="/documents">{words.allCollections}</ButtonLink>}
        />
      ) : error ? (
        <ProblemAlert error={error} />
      ) : (
        <Loading rows={3} height={96} />
      )}
    </Page>
  );
}

function Found({ collection }: { collection: Collection }) {
  const { documents: words } = useWords();
  const format = useFormat();
  const { name, documents, chunks, failed } = collection;
  const { busy } = useActivity(collection);
  const intake = useIntake(name);
  const lead = [
    words.documentsCount(format.count(documents)),
    words.passages(format.count(chunks)),
    ...(failed > 0 ? [words.unread(format.count(failed))] : []),
  ];
  return (
    <Page
      title={name}
      part={words.title}
      back={
        <AnchorLink to="/documents" size="sm">
          {words.allCollections}
        </AnchorLink>
      }
      lead={documents > 0 ? lead.join(' · ') : undefined}
      actions={
        <>
          {documents > failed && (
            <>
              <ButtonLink
                to="/chat"
                search={{ documents: name }}
                leftSection={<IconMessage size={18} aria-hidden />}
              >
                {words.ask}
              </ButtonLink>
              <ButtonLink
                to="/documents/$collection/search"
                params={{ collection: name }}
                variant="default"
                leftSection={<IconSearch size={18} aria-hidden />}
              >
                {words.search}
              </ButtonLink>
            </>
          )}
          <CollectionActions collection={collection} />
        </>
      }
    >
      <Intake intake={intake} collection={name} first={documents === 0 && !busy} />
      <Activity collection={collection} again={intake.again} />
      {documents > 0 && <DocumentList collection={collection} />}
      <CollectionFacts collection={collection} />
    </Page>
  );
}
