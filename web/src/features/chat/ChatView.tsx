/** The chat: conversations at the side (on a phone in a drawer), the chosen one, and the field for the next message. */
import { Drawer, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useRef } from 'react';

import { useTitle } from '../../ui/title';
import { useWords } from '../../words';
import classes from './chat.module.css';
import { Composer } from './Composer';
import { ConversationHead } from './ConversationHead';
import { ConversationBody } from './ConversationBody';
import { Lessons } from './Lessons';
import { SessionList } from './SessionList';
import { useShortcuts } from './shortcuts';
import { dropUnkept } from './turns';
import { useConversation } from './useConversation';
import { useDraft } from './useDraft';

const SourcePanel = lazy(() => import('../../sources/SourcePanel'));

export function ChatView() {
  const { chat, jobs } = useWords();
  const conversation = useConversation();
  const { source } = conversation;
  useTitle(conversation.session.data?.title, chat.title);
  const draft = useDraft(conversation.sessionId);
  const [opened, { open, close }] = useDisclosure();
  const navigate = useNavigate();
  const search = useRef<HTMLInputElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  useShortcuts({
    fresh: () => {
      dropUnkept();
      close();
      void navigate({ to: '/chat' }).then(() => field.current?.focus());
    },
    search: () => {
      // The side is not there on a narrow page; the drawer has a field of its own.
      if (search.current?.checkVisibility()) search.current.select();
      else open();
    },
  });
  return (
    <div className={classes.view} data-source={source.opened !== null || undefined}>
      <VisuallyHidden component="h1">{chat.title}</VisuallyHidden>
      <aside className={classes.side} aria-label={chat.sessions.title}>
        <SessionList current={conversation.sessionId} search={search} />
      </aside>
      <Drawer
        opened={opened}
        onClose={close}
        title={chat.sessions.title}
        size="20rem"
        closeButtonProps={{ 'aria-label': jobs.close }}
      >
        <SessionList current={conversation.sessionId} onChosen={close} />
      </Drawer>
      <section className={classes.conversation} aria-labelledby="conversation">
        <ConversationHead conversation={conversation} onList={open} />
        <ConversationBody conversation={conversation} />
        <Lessons conversation={conversation} />
        <Composer conversation={conversation} draft={draft} field={field} />
      </section>
      {source.opened && (
        <Suspense fallback={null}>
          <SourcePanel place={source.opened} onClose={source.close} />
        </Suspense>
      )}
    </div>
  );
}
