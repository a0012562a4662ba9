/** `/admin/log`: what happened, by day. The chosen kind stands in the address. */
import { Button, NativeSelect, Stack, Text, Title } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';

import { EmptyState } from '../../ui/EmptyState';
import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { byDay, isKind, KINDS, logQuery } from './log';
import classes from './Log.module.css';
import { LogRow } from './LogRow';
import { AdminsOnly, Section } from './Section';

export function LogView() {
  const { log } = useWords();
  return (
    <AdminsOnly title={log.title}>
      <Log />
    </AdminsOnly>
  );
}

function Log() {
  const { log } = useWords();
  const format = useFormat();
  const navigate = useNavigate();
  const search = useSearch({ from: '/admin/log' });
  const kind = isKind(search.kind) ? search.kind : undefined;
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(logQuery(kind));
  const events = data?.pages.flat();
  const days = byDay(events ?? [], format);
  return (
    <Section
      title={log.title}
      lead={log.lead}
      actions={
        <NativeSelect
          aria-label={log.filter}
          value={kind ?? ''}
          onChange={({ currentTarget: { value } }) =>
            void navigate({ to: '/admin/log', search: isKind(value) ? { kind: value } : {}, replace: true })
          }
          data={[
            { value: '', label: log.kinds.all },
            ...KINDS.map((one) => ({ value: one, label: log.kinds[one] })),
          ]}
        />
      }
    >
      {error ? <ProblemAlert error={error} /> : !events && <Loading rows={6} height={44} />}
      {events?.length === 0 && (
        <EmptyState
          icon={<IconHistory size={28} />}
          title={log.empty}
          hint={kind ? log.emptyKind : log.emptyHint}
        />
      )}
      <Stack gap="lg">
        {days.map(([day, ofDay]) => (
          <section key={day}>
            <Title order={2} size="sm" className={classes.day ?? ''}>
              {day}
            </Title>
            <ul className={classes.list}>
              {ofDay.map((event) => (
                <LogRow key={event.id} event={event} />
              ))}
            </ul>
          </section>
        ))}
      </Stack>
      {hasNextPage && (
        <Button
          variant="default"
          loading={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
          style={{ alignSelf: 'center' }}
        >
          {log.older}
        </Button>
      )}
      {events && events.length > 0 && !hasNextPage && (
        <Text size="sm" c="dimmed" ta="center">
          {log.end}
        </Text>
      )}
    </Section>
  );
}
