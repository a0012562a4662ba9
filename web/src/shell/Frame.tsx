/** The frame around every view: where one is, where one can go, who one is, language and colours. */
import { AppShell, Burger, Group, NavLink, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconDatabase,
  IconFiles,
  IconHome,
  IconMessage,
  IconPackages,
  IconRoute,
  IconSettings,
} from '@tabler/icons-react';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';

import { useWords } from '../words';
import { Account } from './Account';
import { AwayBanner } from './Away';
import { Brand } from './Brand';
import { Choices } from './Choices';
import { focusMain, useFocusOnNavigation } from './focus';
import classes from './shell.module.css';

const VIEWS = [
  { to: '/', word: 'home', icon: IconHome },
  { to: '/chat', word: 'chat', icon: IconMessage },
  { to: '/documents', word: 'documents', icon: IconFiles },
  { to: '/models', word: 'models', icon: IconPackages },
  { to: '/data', word: 'data', icon: IconDatabase },
  { to: '/runs', word: 'runs', icon: IconRoute },
  { to: '/admin', word: 'admin', icon: IconSettings },
] as const;

export function Frame() {
  const { shell } = useWords();
  const [opened, { toggle, close }] = useDisclosure();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const current = VIEWS.findLast(({ to }) => path === to || path.startsWith(to === '/' ? '//' : `${to}/`));
  useFocusOnNavigation();
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={0}
    >
      <a
        href="#main"
        className="skip"
        onClick={(event) => {
          // The address stays as it is: it may be shared.
          event.preventDefault();
          focusMain();
        }}
      >
        {shell.skip}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger
              opened={opened}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={shell.menu}
              aria-expanded={opened}
              aria-controls="views"
            />
            <UnstyledButton component={Link} to="/" aria-label={`Twotrack: ${shell.home}`} onClick={close}>
              <Brand />
            </UnstyledButton>
          </Group>
          <Choices />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar id="views" p="xs" aria-label={shell.views} className={classes.views ?? ''}>
        <div className={classes.links}>
          {VIEWS.map(({ to, word, icon: Icon }) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              activeOptions={{ exact: to === '/' }}
              label={shell[word]}
              leftSection={<Icon size={18} aria-hidden />}
              active={current?.to === to}
              onClick={close}
            />
          ))}
        </div>
        <Account onChosen={close} />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        <AwayBanner />
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
