/** A conversation gets another title, or is deleted after a question. */
import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';

import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { deleteSession, renameSession, sessionKey, SESSIONS, type Session } from './queries';

export function RenameDialog({ session, onClose }: { session: Session; onClose: () => void }) {
  const { chat } = useWords();
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
    <Dialog opened onClose={onClose} title={chat.sessions.rename}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label={chat.sessions.renameLabel}
            value={title}
            onChange={(event) => setTitle(event.currentTarget.value)}
            maxLength={200}
            required
            autoComplete="off"
            dir="auto"
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
    </Dialog>
  );
}

export function RemoveDialog(props: {
  session: Session;
  title: string;
  current: boolean;
  onClose: () => void;
}) {
  const { chat } = useWords();
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
    <Dialog opened onClose={props.onClose} title={chat.sessions.removeTitle}>
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
    </Dialog>
  );
}
