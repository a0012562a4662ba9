/** What can be done to one key; what cannot be taken back is asked about once more. */
import { ActionIcon, Button, Group, Menu, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconBan, IconDots, IconPencil, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';

import { useMe } from '../../api/me';
import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { KeyForm } from './KeyForm';
import { useRenewKey, useRevokeKey, type Key } from './keys';
import { SecretDialog } from './SecretDialog';

export function KeyActions({ of: key }: { of: Key }) {
  const { keys: words, jobs } = useWords();
  const me = useMe();
  const mine = me?.key_id === key.id;
  const [open, setOpen] = useState<'change' | 'renew' | 'revoke' | null>(null);
  const close = () => setOpen(null);
  const say = (message: string) =>
    notifications.show({ message, closeButtonProps: { 'aria-label': jobs.close } });
  const renew = useRenewKey(key.id);
  const revoke = useRevokeKey(key.id, () => {
    close();
    say(words.revokedNow(key.name));
  });
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={words.actionsFor(key.name)}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setOpen('change')}>
            {words.change}
          </Menu.Item>
          {key.state === 'active' && (
            <Menu.Item leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => setOpen('renew')}>
              {words.renew}
            </Menu.Item>
          )}
          <Menu.Item
            c="var(--mantine-color-error)"
            leftSection={<IconBan size={16} aria-hidden />}
            onClick={() => setOpen('revoke')}
          >
            {words.revoke}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open === 'change' && (
        <KeyForm
          of={key}
          onClose={close}
          onChanged={({ name }) => {
            close();
            say(words.saved(name));
          }}
        />
      )}
      {open === 'renew' && !renew.data && (
        <Sure
          title={words.renewTitle(key.name)}
          hint={words.renewHint}
          confirm={words.renew}
          act={renew}
          onClose={close}
        />
      )}
      {open === 'renew' && renew.data && (
        <SecretDialog
          made={renew.data}
          renewed
          adopted={mine}
          onClose={() => {
            close();
            renew.reset();
          }}
        />
      )}
      {open === 'revoke' && (
        <Sure
          title={words.revokeTitle(key.name)}
          hint={mine ? `${words.revokeHint} ${words.revokeMine}` : words.revokeHint}
          confirm={words.revoke}
          act={revoke}
          onClose={close}
        />
      )}
    </>
  );
}

interface Act {
  mutate: () => void;
  isPending: boolean;
  error: unknown;
}

/** Stays open until it is done, so that a refusal is read where it was asked for. */
function Sure(props: { title: string; hint: string; confirm: string; act: Act; onClose: () => void }) {
  const { jobs } = useWords();
  const { act } = props;
  return (
    <Dialog opened onClose={props.onClose} title={props.title}>
      <Stack>
        <Text>{props.hint}</Text>
        {act.error !== null && <ProblemAlert error={act.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose} data-autofocus>
            {jobs.close}
          </Button>
          <Button color="red" loading={act.isPending} onClick={() => act.mutate()}>
            {props.confirm}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
