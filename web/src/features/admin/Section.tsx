/** One section of the settings, below the ways to the others. */
import type { ReactNode } from 'react';

import { useMe } from '../../api/me';
import { EmptyState } from '../../ui/EmptyState';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { useWords } from '../../words';
import { IconLock } from '@tabler/icons-react';
import { Tabs } from './Tabs';

interface Props {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Section({ title, lead, actions, children }: Props) {
  const { admin } = useWords();
  return (
    <Page title={title} part={admin.title} lead={lead} actions={actions} above={<Tabs />}>
      {children}
    </Page>
  );
}

/** What only an administrator sees: for others it is not even asked for. */
export function AdminsOnly({ title, children }: { title: string; children: ReactNode }) {
  const { admin } = useWords();
  const me = useMe();
  if (me?.role === 'admin') return children;
  return (
    <Section title={title}>
      {me ? (
        <EmptyState
          icon={<IconLock size={28} />}
          title={admin.forAdmins}
          hint={admin.forAdminsHint(me.name)}
        />
      ) : (
        <Loading />
      )}
    </Section>
  );
}
