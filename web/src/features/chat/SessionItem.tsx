/** One conversation in the list: opens it, renames it in place, deletes it after a question. */
import { ActionIcon, Button, Group, Menu, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';

import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './chat.module.css';
import {
  deleteSession,
  renameSession,
  sessionKey,
  SESSIONS,
  type ListedSession,
  type Session,
} from './queries';

interface Props {
  session: ListedSession;
  current: boolean;
  onChosen: (() => void) | undefined;
}

export function SessionItem({ session, current, onChosen }: Props) {
  const { chat } = useWords();
  const format = useFormat();
  const [asked, setAsked] = useState<'rename' | 'remove' | null>(null);
  const title = session.title || chat.sessions.untitled;
  const close = () => setAsked(null);
  return (
    <li className={classes.session} data-current={current || undefined}>
      <Link
        to="/chat/$sessionId"
        params={{ sessionId: session.id }}
        search={({ beside }) => ({
          ...(beside ? { beside } : {}),
          ...(session.match ? { at: session.match.position } : {}),
        })}
        className={classes.sessionLink}
        aria-current={current ? 'page' : undefined}
        onClick={onChosen}
        title={`${title}\n${format.moment(session.updated_at)}`}
      >
        <span className="words">{title}</span>
        {session.match && (
          <span className={classes.snippet} dir="auto">
            {session.match.before}
            <mark>{session.match.match}</mark>
            {session.match.after}
          </span>
        )}
      </Link>
      <Menu position="bottom-end" shadow="md">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="md" aria-label={chat.sessions.actions(title)}>
            <IconDots size={16} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={15} aria-hidden />} onClick={() => setAsked('rename')}>
            {chat.sessions.rename}
          </Menu.Item>
          <Menu.Item
            c="var(--mantine-color-error)"
            leftSection={<IconTrash size={15} aria-hidden />}
            onClick={() => setAsked('remove')}
          >
            {chat.sessions.remove}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asked === 'rename' && <Rename session={session} onClose={close} />}
      {asked === 'remove' && <Remove session={session} title={title} current={current} onClose={close} />}
    </li>
  );
}

function Rename({ session, onClose }: { session: Session; onClose: () => void }) {
  const { chat, jobs } = useWords();
  const client = useQueryClient();
  const [title, setTitle] = useState(session.title);
  const rename = useMutation({
    mutationFn: () => renameSession(session.id, title.trim()),
    onSuccess: async () => {
      onClose();
      await Promise.all(
        [SESSIONS, sessionKey(session.id)].map((queryKey) => client.invalidateQueries({ queryKey })),
      );
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={chat.sessions.rename}
      centered
      closeButtonProps={{ 'aria-label': jobs.close }}
    >
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label={chat.sessions.renameLabel}
            value={title}
            onChange={(event) => setTitle(event.currentTarget.value)}
            maxLength={200}
            required
            autoComplete="off"
            data-autofocus
          />
          {rename.error && <ProblemAlert error={rename.error} />}
          <Group justify="flex-end">
            <Button type="submit" loading={rename.isPending} disabled={title.trim() === ''}>
              {chat.sessions.save}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Remove(props: { session: Session; title: string; current: boolean; onClose: () => void }) {
  const { chat, jobs } = useWords();
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => deleteSession(props.session.id),
    onSuccess: async () => {
      props.onClose();
      if (props.current) await navigate({ to: '/chat' });
      client.removeQueries({ queryKey: sessionKey(props.session.id) });
      await client.invalidateQueries({ queryKey: SESSIONS });
    },
  });
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={chat.sessions.removeTitle}
      centered
      closeButtonProps={{ 'aria-label': jobs.close }}
    >
      <Stack>
        <Text className="words">{chat.sessions.removeHint(props.title)}</Text>
        {remove.error && <ProblemAlert error={remove.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose} data-autofocus>
            {chat.sessions.keep}
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            {chat.sessions.remove}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
