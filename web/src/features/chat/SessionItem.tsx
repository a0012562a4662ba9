/** One conversation in the list: opens it, at the message that a search has found; can be renamed and deleted. */
import { ActionIcon, Menu } from '@mantine/core';
import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './chat.module.css';
import { FoundTitle, Snippet } from './Found';
import type { ListedSession } from './queries';
import { RemoveDialog, RenameDialog } from './SessionDialogs';

interface Props {
  session: ListedSession;
  current: boolean;
  /** What is being searched for. */
  words: string;
  onChosen: (() => void) | undefined;
}

export function SessionItem({ session, current, words, onChosen }: Props) {
  const { chat } = useWords();
  const format = useFormat();
  const [asked, setAsked] = useState<'rename' | 'remove' | null>(null);
  const title = session.title || chat.sessions.untitled;
  const close = () => setAsked(null);
  const { match } = session;
  return (
    <li className={classes.session} data-current={current || undefined}>
      <Link
        to="/chat/$sessionId"
        params={{ sessionId: session.id }}
        search={({ beside }) => ({
          ...(beside ? { beside } : {}),
          ...(match ? { at: match.position } : {}),
        })}
        className={classes.sessionLink}
        aria-current={current ? 'page' : undefined}
        onClick={onChosen}
        title={`${title}\n${format.moment(session.updated_at)}`}
      >
        <span className={classes.sessionTitle} dir="auto">
          <FoundTitle title={title} words={words} />
        </span>
        {match && <Snippet match={match} />}
      </Link>
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="md" aria-label={chat.sessions.actions(title)}>
            <IconDots size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={15} aria-hidden />} onClick={() => setAsked('rename')}>
            {chat.sessions.rename}
          </Menu.Item>
          <Menu.Item
            c="var(--mantine-color-error)"
            leftSection={<IconTrash size={15} aria-hidden />}
            onClick={() => setAsked('remove')}
          >
            {chat.sessions.remove}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asked === 'rename' && <RenameDialog session={session} onClose={close} />}
      {asked === 'remove' && (
        <RemoveDialog session={session} title={title} current={current} onClose={close} />
      )}
    </li>
  );
}
