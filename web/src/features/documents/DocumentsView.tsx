/** `/documents`: the collections, what goes into them, and where it may come from. */
import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { useIsAdmin } from '../../api/me';
import { untilReached } from '../../api/problem';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { Activity } from './Activity';
import { useActivity } from './activity';
import { CollectionChoice } from './CollectionChoice';
import { CollectionList } from './CollectionList';
import { CreateDialog } from './CreateDialog';
import { Intake } from './Intake';
import { collectionsQuery, LIVE_MILLISECONDS, USUAL_COLLECTION } from './queries';
import { useIntake } from './useIntake';
import { Watched } from './Watched';

export function DocumentsView() {
  const { documents: words } = useWords();
  const isAdmin = useIsAdmin();
  const navigate = useNavigate();
  const { busy } = useActivity();
  const { data: collections, error } = useQuery({
    ...collectionsQuery,
    refetchInterval: ({ state }) => (busy ? LIVE_MILLISECONDS : untilReached(state.error)),
  });
  const [creating, setCreating] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const names = collections?.map(({ name }) => name) ?? [];
  // The usual one goes without saying; where it is not used, the first takes its place.
  const into =
    chosen ?? (names.includes(USUAL_COLLECTION) ? USUAL_COLLECTION : (names[0] ?? USUAL_COLLECTION));
  const intake = useIntake(into);
  return (
    <Page
      title={words.title}
      lead={words.lead}
      actions={
        isAdmin ? (
          <Button
            variant="default"
            leftSection={<IconPlus size={18} aria-hidden />}
            onClick={() => setCreating(true)}
          >
            {words.create.button}
          </Button>
        ) : undefined
      }
    >
      {error ? <ProblemAlert error={error} /> : !collections && <Loading rows={2} height={120} />}
      {collections && (
        <>
          <Intake
            intake={intake}
            collection={into}
            first={!busy && collections.every(({ documents }) => documents === 0)}
            choice={
              collections.length > 0 && <CollectionChoice value={into} onChange={setChosen} names={names} />
            }
          />
          <Activity again={intake.again} />
          {collections.length > 0 && <CollectionList collections={collections} />}
          <Watched />
        </>
      )}
      {creating && (
        <CreateDialog
          taken={new Set(names)}
          onClose={() => setCreating(false)}
          onMade={(name) => void navigate({ to: '/documents/$collection', params: { collection: name } })}
        />
      )}
    </Page>
  );
}
