/** `/admin/keys`: who may use the studio. */
import { Button, Collapse, Stack, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronRight, IconKey, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { EmptyState } from '../../ui/EmptyState';
import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { KeyForm } from './KeyForm';
import classes from './Keys.module.css';
import { keysQuery, type KeyWithSecret } from './keys';
import { KeyTable } from './KeyTable';
import { SecretDialog } from './SecretDialog';
import { AdminsOnly, Section } from './Section';

export function KeysView() {
  const { keys } = useWords();
  return (
    <AdminsOnly title={keys.title}>
      <Keys />
    </AdminsOnly>
  );
}

function Keys() {
  const { keys: words } = useWords();
  const format = useFormat();
  const { data: keys, error } = useQuery(keysQuery);
  const [creating, { open, close }] = useDisclosure();
  const [made, setMade] = useState<KeyWithSecret | null>(null);
  const [unfolded, { toggle }] = useDisclosure();
  const living = (keys ?? []).filter((key) => key.state !== 'revoked');
  const revoked = (keys ?? []).filter((key) => key.state === 'revoked');
  const create = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open}>
      {words.create}
    </Button>
  );
  return (
    <Section title={words.title} lead={words.lead} actions={living.length > 0 ? create : undefined}>
      {error ? <ProblemAlert error={error} /> : !keys && <Loading rows={3} height={56} />}
      {keys && living.length === 0 && (
        <EmptyState icon={<IconKey size={28} />} title={words.empty} hint={words.emptyHint} action={create} />
      )}
      {living.length > 0 && <KeyTable keys={living} />}
      {revoked.length > 0 && (
        <Stack gap="sm">
          <UnstyledButton
            onClick={toggle}
            aria-expanded={unfolded}
            className={classes.fold ?? ''}
            aria-controls="revoked-keys"
          >
            <IconChevronRight size={16} aria-hidden />
            {words.revoked(format.count(revoked.length))}
          </UnstyledButton>
          <Collapse expanded={unfolded} id="revoked-keys">
            <KeyTable keys={revoked} />
          </Collapse>
        </Stack>
      )}
      {creating && (
        <KeyForm
          onClose={close}
          onMade={(key) => {
            close();
            setMade(key);
          }}
        />
      )}
      {made && <SecretDialog made={made} onClose={() => setMade(null)} />}
    </Section>
  );
}
