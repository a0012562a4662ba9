/** Steps through the versions of a message, each with what was said after it. */
import { ActionIcon, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';

import type { ReactNode } from 'react';

import { useWords } from '../../words';
import type { Message } from './messages';
import { showVersion } from './queries';

export function Versions(props: { message: Message; sessionId: string | null; busy: boolean }) {
  const { chat, jobs } = useWords();
  const client = useQueryClient();
  const { message, sessionId } = props;
  const { siblings } = message;
  const place = siblings.indexOf(message.id);
  const show = useMutation({
    mutationFn: (id: string) => showVersion(client, sessionId ?? '', id),
    onError: ({ message: why }) =>
      notifications.show({ color: 'red', message: why, closeButtonProps: { 'aria-label': jobs.close } }),
  });
  if (siblings.length < 2 || sessionId === null) return null;
  const step = (label: string, index: number, icon: ReactNode) => (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="sm"
      aria-label={label}
      disabled={props.busy || show.isPending || siblings[index] === undefined}
      onClick={() => show.mutate(siblings[index] ?? message.id)}
    >
      {icon}
    </ActionIcon>
  );
  return (
    <Group gap={0} wrap="nowrap" role="group" aria-label={chat.versions.label}>
      {step(chat.versions.before, place - 1, <IconChevronLeft size={15} aria-hidden />)}
      <Text size="xs" c="dimmed" component="span" style={{ fontVariantNumeric: 'tabular-nums' }}>
        {chat.versions.which(place + 1, siblings.length)}
      </Text>
      {step(chat.versions.next, place + 1, <IconChevronRight size={15} aria-hidden />)}
    </Group>
  );
}
