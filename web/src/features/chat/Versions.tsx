/** Which version of a message is shown, and the way to the others: ‹ 2/3 ›. */
import { ActionIcon, Group, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { useWords } from '../../words';
import classes from './chat.module.css';
import type { Message } from './messages';
import { showVersion } from './queries';
import { dropFailedBranches } from './turns';
import { useComplaint } from './useComplaint';

export function Versions(props: { message: Message; sessionId: string; disabled: boolean }) {
  const { chat } = useWords();
  const client = useQueryClient();
  const complain = useComplaint();
  const { message, sessionId } = props;
  const show = useMutation({
    mutationFn: (id: string) => showVersion(client, sessionId, id),
    onMutate: () => dropFailedBranches(sessionId),
    onError: complain,
  });
  const { siblings } = message;
  if (siblings.length < 2) return null;
  const at = siblings.indexOf(message.id);
  const step = (to: number, label: string, icon: ReactNode) => (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={28}
      aria-label={label}
      aria-disabled={siblings[to] === undefined || props.disabled || show.isPending}
      className={classes.step ?? ''}
      onClick={() => {
        const id = siblings[to];
        // Not `disabled`: the focus would be lost with the last step.
        if (id && !props.disabled && !show.isPending) show.mutate(id);
      }}
    >
      {icon}
    </ActionIcon>
  );
  return (
    <Group gap={0} wrap="nowrap" role="group" aria-label={chat.versions.label}>
      {step(at - 1, chat.versions.before, <IconChevronLeft size={15} aria-hidden />)}
      <Text span size="xs" c="dimmed" className="figures">
        {chat.versions.which(at + 1, siblings.length)}
      </Text>
      {step(at + 1, chat.versions.next, <IconChevronRight size={15} aria-hidden />)}
    </Group>
  );
}
