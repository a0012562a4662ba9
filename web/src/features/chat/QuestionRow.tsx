/** What was asked; edited, it is asked anew where it stands, and the old question stays as a version. */
import { ActionIcon, Button, CopyButton, Group, Textarea, Tooltip, VisuallyHidden } from '@mantine/core';
import { IconCheck, IconCopy, IconPencil } from '@tabler/icons-react';
import { memo, useState, type KeyboardEvent } from 'react';

import { useWords } from '../../words';
import classes from './chat.module.css';
import type { Message } from './messages';
import type { Conversation } from './useConversation';
import { Versions } from './Versions';

/** Pasted documents are shown in part: they are known to whoever pasted them. */
const SHOWN = 1_200;

interface Props {
  text: string;
  message: Message | null;
  sessionId: string | null;
  busy: boolean;
  onEdit: Conversation['edit'];
}

export const QuestionRow = memo(function QuestionRow({ text, message, sessionId, busy, onEdit }: Props) {
  const { chat } = useWords();
  const [whole, setWhole] = useState(false);
  const [editing, setEditing] = useState(false);
  const long = text.length > SHOWN;
  return (
    <article className={classes.question} aria-label={chat.messages.you}>
      <VisuallyHidden component="h3">{chat.messages.you}</VisuallyHidden>
      {editing && message ? (
        <Editor
          text={text}
          busy={busy}
          onCancel={() => setEditing(false)}
          onSend={(next) => {
            setEditing(false);
            onEdit(message, next);
          }}
        />
      ) : (
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
      )}
      {!editing && (
        <Group gap={2} className={classes.acts ?? ''} justify="flex-end">
          {message && <Versions message={message} sessionId={sessionId} busy={busy} />}
          <CopyButton value={text}>
            {({ copied, copy }) => (
              <Tooltip label={copied ? chat.messages.copied : chat.messages.copyQuestion}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size="sm"
                  onClick={copy}
                  aria-label={chat.messages.copyQuestion}
                >
                  {copied ? <IconCheck size={15} aria-hidden /> : <IconCopy size={15} aria-hidden />}
                </ActionIcon>
              </Tooltip>
            )}
          </CopyButton>
          {message && (
            <Tooltip label={chat.messages.editHint} multiline w={240}>
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                onClick={() => setEditing(true)}
                aria-label={chat.messages.edit}
              >
                <IconPencil size={15} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      )}
    </article>
  );
});

function Editor(props: {
  text: string;
  busy: boolean;
  onCancel: () => void;
  onSend: (text: string) => void;
}) {
  const { chat } = useWords();
  const [text, setText] = useState(props.text);
  const ready = text.trim() !== '' && !props.busy;
  const onKeyDown = (event: KeyboardEvent) => {
    // 229 is what a key means while an input method composes: see Composer.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.key === 'Escape') props.onCancel();
    else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && ready) props.onSend(text);
  };
  return (
    <form
      className={classes.editor}
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) props.onSend(text);
      }}
    >
      <Textarea
        aria-label={chat.messages.edit}
        description={chat.messages.editHint}
        autosize
        minRows={2}
        maxRows={14}
        dir="auto"
        autoFocus
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      <Group gap="xs" justify="flex-end" mt="xs">
        <Button size="xs" variant="default" onClick={props.onCancel}>
          {chat.feedback.cancel}
        </Button>
        <Button size="xs" type="submit" disabled={!ready}>
          {chat.compose.send}
        </Button>
      </Group>
    </form>
  );
}
