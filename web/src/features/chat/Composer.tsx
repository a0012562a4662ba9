/** The field for the next message, with who answers it and how. */
import { ActionIcon, Group, Text, Textarea } from '@mantine/core';
import { IconArrowUp, IconPlayerStopFilled } from '@tabler/icons-react';
import { useRef, type KeyboardEvent } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { AnswererRow } from './AnswererRow';
import classes from './chat.module.css';
import { SettingsPopover } from './SettingsPopover';
import type { Conversation } from './useConversation';
import type { Draft } from './useDraft';

/** As the studio holds it, in characters; a code unit is at least that many. */
const LONGEST = 2_000_000;

export function Composer({ conversation, draft }: { conversation: Conversation; draft: Draft }) {
  const { chat } = useWords();
  const format = useFormat();
  const { busy, answerers, chosen } = conversation;
  const field = useRef<HTMLTextAreaElement>(null);
  const over = draft.text.length - LONGEST;
  const ready = draft.text.trim() !== '' && over <= 0 && !busy && answerers.length > 0;
  const submit = () => {
    if (!ready) return;
    conversation.send(draft.text);
    draft.clear();
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // 229 is what a key means while an input method composes (UI Events, legacy key codes); Safari sends the
    // Enter that ends a composition after it has ended, with that code only.
    const composing = event.nativeEvent.isComposing || event.keyCode === 229;
    if (event.key !== 'Enter' || event.shiftKey || composing) return;
    // A phone's keyboard has no Shift and Enter; there the button sends.
    if (window.matchMedia('(pointer: coarse) and (hover: none)').matches) return;
    event.preventDefault();
    submit();
  };
  return (
    <form
      className={classes.composer}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className={classes.field}>
        <Textarea
          ref={field}
          variant="unstyled"
          aria-label={chat.compose.label}
          aria-describedby="composer-hint"
          placeholder={chat.compose.placeholder}
          autosize
          minRows={1}
          maxRows={9}
          value={draft.text}
          onChange={(event) => draft.write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
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
            <SettingsPopover settings={conversation.settings} />
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
