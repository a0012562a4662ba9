/** `/admin/origins`: pages from elsewhere that may use the studio. */
import { Button, Code, Group, List, Stack, Text, TextInput, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { connection } from '../../api/connection';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import classes from './admin.module.css';
import { isPlain, readOrigin, useChangeOrigins, type Fault } from './origins';
import { Part } from './Part';
import { AdminsOnly, Section } from './Section';
import { settingsQuery } from './settings';

export function OriginsView() {
  const { origins } = useWords().admin;
  return (
    <AdminsOnly title={origins.title}>
      <Origins />
    </AdminsOnly>
  );
}

function Origins() {
  const { origins: words } = useWords().admin;
  const { data, error } = useQuery(settingsQuery);
  const address = connection().address || window.location.origin;
  return (
    <Section title={words.title} lead={words.lead}>
      {error ? <ProblemAlert error={error} /> : !data && <Loading rows={1} height={180} />}
      {data && <OriginList origins={data.allowed_origins} />}
      <section>
        <Title order={2} size="h5" mb="xs">
          {words.what}
        </Title>
        <List size="sm" c="dimmed" spacing={4}>
          <List.Item>{words.points.key}</List.Item>
          <List.Item>{words.points.exact}</List.Item>
          <List.Item>{words.points.trust}</List.Item>
        </List>
        <Text size="sm" mt="md" mb={6}>
          {words.make}
        </Text>
        <Code
          block
          className={classes.command ?? ''}
        >{`twotrack page ./twotrack-page --api ${address}`}</Code>
      </section>
    </Section>
  );
}

function OriginList({ origins }: { origins: readonly string[] }) {
  const { admin, jobs } = useWords();
  const words = admin.origins;
  const [text, setText] = useState('');
  const [fault, setFault] = useState<Fault | null>(null);
  const change = useChangeOrigins(({ add, remove }) => {
    if (add !== undefined) setText('');
    notifications.show({
      message: add === undefined ? words.removed(remove ?? '') : words.added(add),
      closeButtonProps: { 'aria-label': jobs.close },
    });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readOrigin(text, origins);
    setFault('fault' in read ? read.fault : null);
    if ('origin' in read) change.mutate({ add: read.origin });
  };
  const why = fault && (typeof fault === 'string' ? words.faults[fault] : words.faults.path(fault.path));
  return (
    <Part title={words.list} hint={origins.length === 0 ? words.none : ''}>
      {origins.length > 0 && (
        <ul className={classes.origins}>
          {origins.map((origin) => (
            <li key={origin}>
              <div>
                <Text fw={500} className="words">
                  {origin}
                </Text>
                {isPlain(origin) && (
                  <Text size="xs" c="dimmed">
                    {words.plain}
                  </Text>
                )}
              </div>
              <ConfirmButton
                size="compact-sm"
                title={words.removeTitle(origin)}
                hint={words.removeHint}
                confirm={words.remove}
                label={`${words.remove}: ${origin}`}
                onConfirm={() => change.mutate({ remove: origin })}
              >
                {words.remove}
              </ConfirmButton>
            </li>
          ))}
        </ul>
      )}
      <form onSubmit={submit} noValidate>
        <Stack gap="sm">
          <Group align="flex-start" gap="sm">
            <TextInput
              type="url"
              flex="1 1 16rem"
              aria-label={words.add}
              placeholder={words.placeholder}
              value={text}
              onChange={(event) => {
                setText(event.currentTarget.value);
                setFault(null);
              }}
              error={why}
              maxLength={300}
              autoComplete="off"
              spellCheck={false}
            />
            <Button
              type="submit"
              variant="default"
              leftSection={<IconPlus size={16} aria-hidden />}
              loading={change.isPending}
            >
              {words.submit}
            </Button>
          </Group>
          {change.error && <ProblemAlert error={change.error} />}
          {text !== '' && !why && isHttp(text) && (
            <Text size="xs" c="dimmed">
              {words.plain}
            </Text>
          )}
        </Stack>
      </form>
    </Part>
  );
}

function isHttp(text: string): boolean {
  const read = readOrigin(text, []);
  return 'origin' in read && isPlain(read.origin);
}
