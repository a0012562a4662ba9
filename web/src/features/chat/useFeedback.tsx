/** What a reader says of an answer: good or bad, and how it should have been. Kept by the studio at once. */
import { ActionIcon, Button, Group, Text, Textarea, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconEdit, IconThumbDown, IconThumbUp } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';

import { useWords } from '../../words';
import classes from './chat.module.css';
import type { Feedback, Message } from './messages';
import { giveFeedback } from './queries';

type Said = Pick<Feedback, 'rating' | 'correction'>;

interface Shown {
  buttons: ReactNode;
  editor: ReactNode;
  corrected: { text: string; note: ReactNode } | null;
}

const NOTHING: Shown = { buttons: null, editor: null, corrected: null };

export function useFeedback(message: Message | null, sessionId: string | null): Shown {
  const { chat, jobs } = useWords();
  const words = chat.feedback;
  const client = useQueryClient();
  const [editing, setEditing] = useState(false);
  const [original, setOriginal] = useState(false);
  const give = useMutation({
    mutationFn: (said: Said) => giveFeedback(client, sessionId ?? '', message?.id ?? '', said),
    onSuccess: () => setEditing(false),
    onError: ({ message: why }) =>
      notifications.show({ color: 'red', message: why, closeButtonProps: { 'aria-label': jobs.close } }),
  });
  if (!message || !sessionId || message.state === 'streaming' || !message.content) return NOTHING;
  const { rating = null, correction = null } = message.feedback ?? {};
  const rate = (value: 1 | -1) => give.mutate({ rating: rating === value ? null : value, correction });
  const thumb = (value: 1 | -1, label: string, icon: ReactNode) => (
    <Tooltip label={label}>
      <ActionIcon
        variant={rating === value ? 'light' : 'subtle'}
        color={rating === value ? 'cyan' : 'gray'}
        size="sm"
        aria-label={label}
        aria-pressed={rating === value}
        disabled={give.isPending}
        onClick={() => rate(value)}
      >
        {icon}
      </ActionIcon>
    </Tooltip>
  );
  return {
    buttons: (
      <>
        {thumb(1, words.good, <IconThumbUp size={15} aria-hidden />)}
        {thumb(-1, words.bad, <IconThumbDown size={15} aria-hidden />)}
        <Tooltip label={words.correct}>
          <ActionIcon
            variant={correction === null ? 'subtle' : 'light'}
            color={correction === null ? 'gray' : 'cyan'}
            size="sm"
            aria-label={words.correct}
            aria-expanded={editing}
            onClick={() => setEditing(!editing)}
          >
            <IconEdit size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </>
    ),
    editor: editing && (
      <Editor
        text={correction ?? message.content}
        saving={give.isPending}
        onCancel={() => setEditing(false)}
        onDrop={correction === null ? null : () => give.mutate({ rating, correction: null })}
        onSave={(text) => give.mutate({ rating, correction: text })}
      />
    ),
    corrected:
      correction === null
        ? null
        : {
            text: original ? message.content : correction,
            note: (
              <Group gap="xs" mt={4}>
                <Text size="xs" c="dimmed">
                  {words.corrected}
                </Text>
                <Button variant="subtle" size="compact-xs" onClick={() => setOriginal(!original)}>
                  {original ? words.back : words.original}
                </Button>
              </Group>
            ),
          },
  };
}

function Editor(props: {
  text: string;
  saving: boolean;
  onCancel: () => void;
  onDrop: (() => void) | null;
  onSave: (text: string) => void;
}) {
  const { feedback: words } = useWords().chat;
  const [text, setText] = useState(props.text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) props.onSave(text);
  };
  return (
    <form className={classes.correction} onSubmit={submit}>
      <Textarea
        label={words.label}
        description={words.hint}
        autosize
        minRows={3}
        maxRows={16}
        dir="auto"
        autoFocus
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && props.onCancel()}
      />
      <Group gap="xs" mt="sm" justify="flex-end">
        {props.onDrop && (
          <Button size="xs" variant="subtle" color="gray" onClick={props.onDrop} disabled={props.saving}>
            {words.drop}
          </Button>
        )}
        <Button size="xs" variant="default" onClick={props.onCancel}>
          {words.cancel}
        </Button>
        <Button size="xs" type="submit" loading={props.saving} disabled={!text.trim()}>
          {words.save}
        </Button>
      </Group>
    </form>
  );
}
