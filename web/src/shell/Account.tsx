/** Who one is to the studio, at the foot of the navigation; another key and the way out behind it. */
import { Menu, Text, ThemeIcon, UnstyledButton } from '@mantine/core';
import { IconKey, IconLogout, IconSelector, IconUser } from '@tabler/icons-react';

import { lock } from '../api/access';
import { connection } from '../api/connection';
import { signOut, useMe } from '../api/me';
import { useWords } from '../words';
import classes from './shell.module.css';

export function Account({ onChosen }: { onChosen: () => void }) {
  const { shell } = useWords();
  const me = useMe();
  if (!me) return null;
  const keyed = connection().key !== '';
  const name = me.key_id === null ? shell.owner : me.name;
  return (
    <Menu position="top-start" width="target" withinPortal>
      <Menu.Target>
        <UnstyledButton className={classes.account ?? ''}>
          <ThemeIcon variant="light" radius="xl" size={32} aria-hidden>
            <IconUser size={18} />
          </ThemeIcon>
          <span className={classes.who}>
            <Text size="sm" fw={600} truncate>
              {name}
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {me.login || keyed ? shell.roles[me.role] : shell.here}
            </Text>
          </span>
          <IconSelector size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconKey size={16} aria-hidden />}
          onClick={() => {
            onChosen();
            lock(null, true);
          }}
        >
          {keyed ? shell.useOtherKey : shell.useKey}
        </Menu.Item>
        {keyed && (
          <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={signOut}>
            {shell.signOut}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
