/** The messages, or what stands where there are none. */
import { Button } from '@mantine/core';
import { IconFileText, IconMessage, IconMessageOff, IconPackages } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

import { EmptyState } from '../../ui/EmptyState';
import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { ProblemError } from '../../api/problem';
import { useWords } from '../../words';
import classes from './chat.module.css';
import { MessageList } from './MessageList';
import type { Conversation } from './useConversation';

export function ConversationBody({ conversation }: { conversation: Conversation }) {
  const { chat, rag, shell } = useWords();
  const { sessionId, session, rows, models, answerers, documents } = conversation;
  if (rows.length > 0) {
    return <MessageList key={conversation.place} conversation={conversation} />;
  }
  if (sessionId && session.error) {
    const gone = session.error instanceof ProblemError && [404, 422].includes(session.error.problem.status);
    return (
      <div className={classes.blank}>
        {gone ? (
          <EmptyState
            icon={<IconMessageOff size={28} />}
            title={chat.start.gone}
            hint={shell.notFoundHint}
            action={
              <Button component={Link} to="/chat">
                {chat.start.fresh}
              </Button>
            }
          />
        ) : (
          <ProblemAlert error={session.error} />
        )}
      </div>
    );
  }
  if ((sessionId && session.isPending) || models.pending) {
    return (
      <div className={classes.loading}>
        <Loading rows={4} height={56} />
      </div>
    );
  }
  if (models.error) {
    return (
      <div className={classes.blank}>
        <ProblemAlert error={models.error} />
      </div>
    );
  }
  return (
    <div className={classes.blank}>
      {answerers.length === 0 ? (
        <EmptyState
          icon={<IconPackages size={28} />}
          title={chat.start.noModel}
          hint={chat.start.noModelHint}
          action={
            <Button component={Link} to="/models">
              {chat.start.toModels}
            </Button>
          }
        />
      ) : documents !== null ? (
        <EmptyState
          icon={<IconFileText size={28} />}
          title={rag.ask.startTitle}
          hint={rag.ask.startHint(documents)}
        />
      ) : (
        <EmptyState icon={<IconMessage size={28} />} title={chat.start.title} hint={chat.start.hint} />
      )}
    </div>
  );
}
