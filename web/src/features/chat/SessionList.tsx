/** All conversations, the last used first; the search goes through titles and messages. */
import { Button, CloseButton, ScrollArea, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus, IconSearch } from '@tabler/icons-react';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import classes from './chat.module.css';
import { sessionsQuery, type ListedSession } from './queries';
import { SessionItem } from './SessionItem';
import { dropUnkept } from './turns';

export function SessionList({ current, onChosen }: { current: string | null; onChosen?: () => void }) {
  const { chat } = useWords();
  const [sought, setSought] = useState('');
  const [wanted] = useDebouncedValue(sought.trim(), 250);
  const list = useInfiniteQuery({ ...sessionsQuery(wanted), placeholderData: keepPreviousData });
  const { hasNextPage, isFetching, fetchNextPage } = list;
  const found: readonly ListedSession[] = list.data?.pages.flatMap((page) => page.sessions) ?? [];
  return (
    <Stack gap="sm" className={classes.sessions ?? ''}>
      <Button
        component={Link}
        to="/chat"
        variant="light"
        leftSection={<IconPlus size={16} aria-hidden />}
        onClick={() => {
          dropUnkept();
          onChosen?.();
        }}
      >
        {chat.sessions.create}
      </Button>
      <TextInput
        type="search"
        size="sm"
        aria-label={chat.sessions.search}
        placeholder={chat.sessions.search}
        leftSection={<IconSearch size={15} aria-hidden />}
        rightSection={
          sought && <CloseButton size="sm" onClick={() => setSought('')} aria-label={chat.sessions.clear} />
        }
        value={sought}
        onChange={(event) => setSought(event.currentTarget.value)}
      />
      <ScrollArea className={classes.sessionScroll ?? ''} type="auto" scrollbarSize={6}>
        {list.isPending && <Loading rows={5} height={34} />}
        {list.error && !list.data && <ProblemAlert error={list.error} />}
        {list.data && found.length === 0 && !isFetching && (
          <Text size="sm" c="dimmed" p="xs" role="status">
            {wanted ? chat.sessions.noMatch : chat.sessions.none}
          </Text>
        )}
        {found.length > 0 && (
          <ul className={classes.sessionItems}>
            {found.map((session) => (
              <SessionItem
                key={session.id}
                session={session}
                current={session.id === current}
                onChosen={onChosen}
              />
            ))}
          </ul>
        )}
        {hasNextPage && (
          <Button
            variant="subtle"
            size="xs"
            fullWidth
            loading={isFetching}
            onClick={() => void fetchNextPage()}
          >
            {chat.sessions.more}
          </Button>
        )}
      </ScrollArea>
    </Stack>
  );
}
