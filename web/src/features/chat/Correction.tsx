/** An answer as its reader says that it should have been: written under it, then shown in its place. */
import { Badge, Button, Group } from '@mantine/core';
import { IconPencilCheck } from '@tabler/icons-react';

import { useWords } from '../../words';
import classes from './chat.module.css';
import { useFeedback } from './FeedbackActs';
import type { Message } from './messages';
import { TextEditor } from './TextEditor';

export function CorrectedNote(props: { original: boolean; onToggle: () => void }) {
  const { chat } = useWords();
  return (
    <Group gap="xs" className={classes.corrected ?? ''}>
      <Badge variant="light" color="cyan" leftSection={<IconPencilCheck size={12} aria-hidden />}>
        {props.original ? chat.feedback.before : chat.feedback.corrected}
      </Badge>
      <Button variant="subtle" size="compact-xs" onClick={props.onToggle} aria-pressed={props.original}>
        {props.original ? chat.feedback.back : chat.feedback.original}
      </Button>
    </Group>
  );
}

interface Props {
  message: Message;
  sessionId: string;
  text: string;
  setText: (text: string | null) => void;
}

export function CorrectionEditor({ message, sessionId, text, setText }: Props) {
  const { chat } = useWords();
  const feedback = useFeedback(message, sessionId);
  const keep = (correction: string | null) =>
    feedback.mutate({ correction }, { onSuccess: () => setText(null) });
  const before = message.feedback?.correction;
  return (
    <TextEditor
      text={text}
      onChange={setText}
      onCancel={() => setText(null)}
      onDone={() => keep(text === message.content ? null : text)}
      label={chat.feedback.label}
      hint={`${chat.feedback.hint} ${chat.feedback.keys}`}
      done={chat.feedback.save}
      pending={feedback.isPending}
    >
      {before != null && (
        <Button size="xs" variant="subtle" color="red" onClick={() => keep(null)}>
          {chat.feedback.drop}
        </Button>
      )}
    </TextEditor>
  );
}
