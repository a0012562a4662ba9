/** A text edited where it stands: a question in other words, an answer as it should have been. */
import { Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { useEffect, useId, useRef, type ReactNode } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './chat.module.css';
import { cancels, saves, sends } from './keys';
import { LONGEST_GROWING, LONGEST_TEXT } from './limits';

interface Props {
  text: string;
  onChange: (text: string) => void;
  onCancel: () => void;
  onDone: () => void;
  label: string;
  hint: string;
  done: string;
  /** Enter alone is enough, as where one chats. */
  onEnter?: boolean;
  pending?: boolean;
  disabled?: boolean;
  /** What else can be done, at the other end. */
  children?: ReactNode;
}

export function TextEditor(props: Props) {
  const { chat } = useWords();
  const format = useFormat();
  const field = useRef<HTMLTextAreaElement>(null);
  const hint = useId();
  const { text, onChange } = props;
  const over = text.length - LONGEST_TEXT;
  const ready = text.trim() !== '' && over <= 0 && !props.disabled && !props.pending;
  useEffect(() => {
    const { current } = field;
    current?.focus();
    current?.setSelectionRange(current.value.length, current.value.length);
  }, []);
  return (
    <Stack gap={6} className={classes.editor ?? ''}>
      <Textarea
        ref={field}
        aria-label={props.label}
        aria-describedby={hint}
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (cancels(event)) props.onCancel();
          else if (saves(event) || (props.onEnter && sends(event))) {
            event.preventDefault();
            if (ready) props.onDone();
          }
        }}
        {...(text.length > LONGEST_GROWING ? { rows: 14 } : { autosize: true, minRows: 2, maxRows: 14 })}
        dir="auto"
        error={over > 0 ? chat.compose.tooLong(format.count(over)) : undefined}
      />
      <Group gap="xs" justify="space-between">
        <Text size="xs" c="dimmed" id={hint} flex="1 1 12rem">
          {props.hint}
        </Text>
        <Group gap="xs">
          {props.children}
          <Button size="xs" variant="default" onClick={props.onCancel}>
            {chat.feedback.cancel}
          </Button>
          <Button size="xs" onClick={props.onDone} disabled={!ready} loading={props.pending ?? false}>
            {props.done}
          </Button>
        </Group>
      </Group>
    </Stack>
  );
}
