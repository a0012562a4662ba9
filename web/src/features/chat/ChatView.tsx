/** The chat: conversations at the side (on a phone in a drawer), the chosen one, and the field for the next message. */
import { Drawer, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';

import { useTitle } from '../../ui/title';
import { useWords } from '../../words';
import classes from './chat.module.css';
import { Composer } from './Composer';
import { ConversationHead } from './ConversationHead';
import { ConversationBody } from './ConversationBody';
import { SessionList } from './SessionList';
import { useConversation } from './useConversation';
import { useDraft } from './useDraft';

export function ChatView() {
  const { chat, jobs } = useWords();
  useTitle(chat.title);
  const conversation = useConversation();
  const draft = useDraft(conversation.sessionId);
  const [opened, { open, close }] = useDisclosure();
  return (
    <div className={classes.view}>
      <VisuallyHidden component="h1">{chat.title}</VisuallyHidden>
      <aside className={classes.side} aria-label={chat.sessions.title}>
        <SessionList current={conversation.sessionId} />
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
        <Composer conversation={conversation} draft={draft} />
      </section>
    </div>
  );
}
