/** The field for the next message, with who answers it and how. */
import { ActionIcon, Group, Text, Textarea } from '@mantine/core';
import { IconArrowUp, IconPlayerStopFilled } from '@tabler/icons-react';
import type { RefObject } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { AnswererRow } from './AnswererRow';
import classes from './chat.module.css';
import { sends } from './keys';
import { LONGEST_FOR_DOCUMENTS, LONGEST_GROWING, LONGEST_TEXT } from './limits';
import { SettingsPopover } from './SettingsPopover';
import type { Conversation } from './useConversation';
import type { Draft } from './useDraft';

interface Props {
  conversation: Conversation;
  draft: Draft;
  field: RefObject<HTMLTextAreaElement | null>;
}

export function Composer({ conversation, draft, field }: Props) {
  const { chat, rag } = useWords();
  const format = useFormat();
  const { busy, answerers, chosen, documents, noDocuments } = conversation;
  const over = draft.text.length - (documents === null ? LONGEST_TEXT : LONGEST_FOR_DOCUMENTS);
  const ready = draft.text.trim() !== '' && over <= 0 && !busy && answerers.length > 0;
  const submit = () => {
    if (!ready) return;
    conversation.send(draft.text);
    draft.clear();
    field.current?.focus();
  };
  return (
    <form
      className={classes.composer}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {noDocuments !== null && (
        <Text size="xs" className={classes.missing ?? ''} role="status">
          {rag.ask.missing(noDocuments)}
        </Text>
      )}
      <div className={classes.field}>
        <Textarea
          ref={field}
          variant="unstyled"
          aria-label={chat.compose.label}
          aria-describedby="composer-hint"
          placeholder={chat.compose.placeholder}
          {...(draft.text.length > LONGEST_GROWING
            ? { rows: 9 }
            : { autosize: true, minRows: 1, maxRows: 9 })}
          value={draft.text}
          onChange={(event) => draft.write(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (!sends(event)) return;
            event.preventDefault();
            submit();
          }}
          classNames={{ input: classes.input ?? '' }}
          dir="auto"
          enterKeyHint="enter"
          error={over > 0 ? chat.compose.tooLong(format.count(over)) : undefined}
        />
        <div className={classes.tools}>
          <div className={classes.answerers}>
            <AnswererRow side="main" conversation={conversation} />
            {chosen.beside && <AnswererRow side="beside" conversation={conversation} />}
          </div>
          <Group gap={6} wrap="nowrap" className={classes.sending ?? ''}>
            <SettingsPopover settings={conversation.settings} documents={documents !== null} />
            {busy ? (
              <ActionIcon
                size={36}
                radius="xl"
                color="dark"
                variant="filled"
                onClick={conversation.stop}
                aria-label={chat.compose.stop}
              >
                <IconPlayerStopFilled size={16} aria-hidden />
              </ActionIcon>
            ) : (
              <ActionIcon
                type="submit"
                size={36}
                radius="xl"
                disabled={!ready}
                aria-label={chat.compose.send}
              >
                <IconArrowUp size={18} aria-hidden />
              </ActionIcon>
            )}
          </Group>
        </div>
      </div>
      <Text size="xs" c="dimmed" ta="center" id="composer-hint" className={classes.hint ?? ''}>
        {chat.compose.hint}
      </Text>
    </form>
  );
}
