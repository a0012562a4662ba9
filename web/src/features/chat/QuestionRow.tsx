/** What was asked; it becomes an editor where it stands. */
import { Button, Group, VisuallyHidden } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useState } from 'react';

import { useWords } from '../../words';
import { Act, CopyAct } from './Act';
import classes from './chat.module.css';
import { useEdit } from './edits';
import type { Row } from './rows';
import { TextEditor } from './TextEditor';
import { isOver } from './turns';
import type { Conversation } from './useConversation';
import { Versions } from './Versions';

/** Pasted documents are shown in part: they are known to whoever pasted them. */
const SHOWN = 1_200;

interface Props {
  row: Extract<Row, { kind: 'question' }>;
  conversation: Conversation;
}

export function QuestionRow({ row, conversation }: Props) {
  const { chat } = useWords();
  const { text, message, turn } = row;
  const { busy, sessionId } = conversation;
  const [edited, setEdited] = useEdit(`question ${row.key}`);
  // A question on its way has no other version yet, and stopping it leaves one to edit.
  const fixed = message === null && (turn === null || !isOver(turn) || turn.answerId !== null);
  const done = () => {
    if (edited === null) return;
    setEdited(null);
    if (edited.trim() !== text.trim()) conversation.edit(message, turn, edited);
  };
  return (
    <article className={classes.question} aria-label={chat.messages.you}>
      <VisuallyHidden component="h3">{chat.messages.you}</VisuallyHidden>
      {edited === null ? (
        <Asked text={text} />
      ) : (
        <TextEditor
          text={edited}
          onChange={setEdited}
          onCancel={() => setEdited(null)}
          onDone={done}
          label={chat.edit.question}
          hint={busy ? chat.edit.busy : chat.edit.hint}
          done={chat.compose.send}
          disabled={busy}
          onEnter
        />
      )}
      {edited === null && (
        <Group gap={2} wrap="nowrap" justify="flex-end">
          {message && sessionId && <Versions message={message} sessionId={sessionId} disabled={busy} />}
          <CopyAct text={text} label={chat.messages.copyQuestion} />
          {!fixed && (
            <Act label={chat.messages.edit} hint={chat.messages.editHint} onClick={() => setEdited(text)}>
              <IconPencil size={16} aria-hidden />
            </Act>
          )}
        </Group>
      )}
    </article>
  );
}

function Asked({ text }: { text: string }) {
  const { chat } = useWords();
  const [whole, setWhole] = useState(false);
  const long = text.length > SHOWN;
  return (
    <div className={classes.bubble}>
      <div className={classes.asked} dir="auto">
        {long && !whole ? `${text.slice(0, SHOWN)}…` : text}
      </div>
      {long && (
        <Button
          variant="subtle"
          size="compact-xs"
          mt={4}
          onClick={() => setWhole(!whole)}
          aria-expanded={whole}
        >
          {whole ? chat.messages.shorter : chat.messages.longer}
        </Button>
      )}
    </div>
  );
}
