/** All conversations, the last used first; the search goes through their titles and all that was said. */
import { Button, CloseButton, Kbd, ScrollArea, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconPlus, IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type Ref } from 'react';

import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import classes from './chat.module.css';
import { sessionsQuery } from './queries';
import { SessionItem } from './SessionItem';
import { SHORTCUTS } from './shortcuts';
import { dropUnkept } from './turns';

/** Typing goes on: only what stands for a moment is searched for. */
const PAUSE_MS = 250;
/** As many as the studio takes. */
const LONGEST_SEARCH = 200;

interface Props {
  current: string | null;
  search?: Ref<HTMLInputElement>;
  onChosen?: () => void;
}

export function SessionList({ current, search, onChosen }: Props) {
  const { chat } = useWords();
  const [sought, setSought] = useState('');
  const [settled] = useDebouncedValue(sought.trim(), PAUSE_MS);
  const words = sought.trim() === '' ? '' : settled;
  const list = useInfiniteQuery({ ...sessionsQuery(words), placeholderData: keepPreviousData });
  const sessions = list.data?.pages.flatMap((page) => page.sessions) ?? [];
  const searching = sought.trim() !== words || (words !== '' && list.isPlaceholderData);
  return (
    <Stack gap="sm" className={classes.sessions ?? ''}>
      <Button
        component={Link}
        to="/chat"
        variant="light"
        leftSection={<IconPlus size={16} aria-hidden />}
        rightSection={
          <Kbd size="xs" className={classes.kbd ?? ''}>
            {SHORTCUTS.fresh.shown}
          </Kbd>
        }
        aria-keyshortcuts={SHORTCUTS.fresh.aria}
        justify="space-between"
        onClick={() => {
          dropUnkept();
          onChosen?.();
        }}
      >
        {chat.sessions.create}
      </Button>
      <TextInput
        ref={search}
        type="search"
        size="sm"
        aria-label={chat.sessions.search}
        aria-keyshortcuts={SHORTCUTS.search.aria}
        placeholder={chat.sessions.search}
        leftSection={<IconSearch size={15} aria-hidden />}
        rightSection={
          sought ? (
            <CloseButton size="sm" onClick={() => setSought('')} aria-label={chat.sessions.clear} />
          ) : (
            <Kbd size="xs" className={classes.kbd ?? ''}>
              {SHORTCUTS.search.shown}
            </Kbd>
          )
        }
        rightSectionWidth={sought ? undefined : 'auto'}
        rightSectionProps={{ style: { paddingInlineEnd: 8 } }}
        value={sought}
        maxLength={LONGEST_SEARCH}
        dir="auto"
        onChange={(event) => setSought(event.currentTarget.value)}
      />
      <Text size="xs" c="dimmed" role="status" className={classes.searching ?? ''}>
        {searching && chat.sessions.searching}
      </Text>
      <ScrollArea className={classes.sessionScroll ?? ''} type="auto" scrollbarSize={6}>
        {list.isPending && <Loading rows={5} height={34} />}
        {list.error && !list.data && <ProblemAlert error={list.error} />}
        {list.data && sessions.length === 0 && !searching && (
          <Text size="sm" c="dimmed" p="xs" role="status">
            {words ? chat.sessions.noMatch : chat.sessions.none}
          </Text>
        )}
        {sessions.length > 0 && (
          <ul className={classes.sessionItems} aria-busy={searching}>
            {sessions.map((session) => (
              <SessionItem
                key={session.id}
                session={session}
                current={session.id === current}
                words={words}
                onChosen={onChosen}
              />
            ))}
          </ul>
        )}
        {list.hasNextPage && (
          <Button
            variant="subtle"
            size="xs"
            fullWidth
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            {words ? chat.sessions.moreFound : chat.sessions.more}
          </Button>
        )}
      </ScrollArea>
    </Stack>
  );
}
