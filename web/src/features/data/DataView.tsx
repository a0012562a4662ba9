/** `/data`: the data sets, how they come in, and how several become one. */
import { Button, Group } from '@mantine/core';
import { IconArrowsShuffle } from '@tabler/icons-react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { untilReached } from '../../api/problem';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { DataTable } from './DataTable';
import { Intake } from './Intake';
import { MixForm } from './MixForm';
import { Mixes } from './Mixes';
import { dataSetsQuery, type DataSetEntry } from './queries';
import { sendAgain, sendFiles, type Sending } from './sending';

export function DataView() {
  const { data: words } = useWords();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [mixing, setMixing] = useState(false);
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    ...dataSetsQuery,
    refetchInterval: ({ state }) => untilReached(state.error),
  });
  const sets = data?.pages.flat() ?? [];
  const mixable = sets.filter(({ recognized }) => recognized.format);
  // Whoever brings one file wants to see what is in it.
  const arrived = (made: readonly DataSetEntry[]) => {
    const [one] = made;
    if (made.length === 1 && one && window.location.pathname === '/data')
      void navigate({ to: '/data/$id', params: { id: one.id } });
  };
  return (
    <Page
      title={words.title}
      lead={words.lead}
      actions={
        mixable.length > 1 && !mixing ? (
          <Button
            variant="default"
            leftSection={<IconArrowsShuffle size={18} aria-hidden />}
            onClick={() => setMixing(true)}
          >
            {words.mix.button}
          </Button>
        ) : undefined
      }
    >
      {error ? <ProblemAlert error={error} /> : !data && <Loading rows={3} height={96} />}
      {data && (
        <>
          <Intake
            first={sets.length === 0}
            onFiles={(files) => void sendFiles(files, client, arrived)}
            onAgain={(one: Sending) => void sendAgain(one, client, arrived)}
          />
          {mixing && <MixForm sets={mixable} onClose={() => setMixing(false)} />}
          <Mixes />
          {sets.length > 0 && <DataTable sets={sets} />}
          {hasNextPage && (
            <Group justify="center">
              <Button variant="default" onClick={() => void fetchNextPage()} loading={isFetchingNextPage}>
                {words.older}
              </Button>
            </Group>
          )}
        </>
      )}
    </Page>
  );
}
