/** The studio does not answer: said calmly, looked after by itself. */
import { Loader, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';

import { useAccess } from '../api/access';
import { healthQuery } from '../api/queries';
import { useWords } from '../words';
import { FullView } from './FullView';
import classes from './shell.module.css';

const AGAIN_MILLISECONDS = 3_000;

export function AwayBanner() {
  const { shell } = useWords();
  const { away } = useAccess();
  const client = useQueryClient();
  const wasAway = useRef(false);
  // Also where a view asks nothing by itself, such as a chat in which somebody is writing.
  useQuery({ ...healthQuery, ...(away ? { refetchInterval: AGAIN_MILLISECONDS } : {}) });
  useEffect(() => {
    if (wasAway.current && !away) void client.invalidateQueries();
    wasAway.current = away;
  }, [away, client]);
  return (
    <div role="status">
      {away && (
        <div className={classes.away}>
          <Loader size={16} aria-hidden />
          <Text size="sm" fw={600}>
            {shell.unreachable}
          </Text>
          <Text size="sm" c="dimmed">
            {shell.unreachableHint}
          </Text>
        </div>
      )}
    </div>
  );
}

export function AwayView() {
  const { shell } = useWords();
  return (
    <FullView>
      <Stack align="center" ta="center" gap="sm" role="status">
        <Loader size={28} aria-hidden />
        <Title order={1} size="h3">
          {shell.unreachable}
        </Title>
        <Text c="dimmed">{shell.unreachableHint}</Text>
      </Stack>
    </FullView>
  );
}
