/** A view's frame: one heading, what the view is for, its actions, its content. */
import { Group, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

import { useTitle } from './title';

export function Page(props: {
  title: string;
  /** What the view belongs to, for the tab's title. */
  part?: string;
  /** Ways to the views beside it. */
  above?: ReactNode;
  lead?: ReactNode;
  back?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useTitle(props.title, props.part);
  return (
    <Stack className="page" gap="xl">
      {props.above}
      <Group justify="space-between" align="flex-end" gap="md">
        <Stack gap={6} miw={0} flex="1 1 20rem">
          {props.back}
          <Title order={1} size="h2" className="words">
            {props.title}
          </Title>
          {props.lead && (
            <Text c="dimmed" maw="44rem" component="div" className="lead">
              {props.lead}
            </Text>
          )}
        </Stack>
        {props.actions && <Group gap="xs">{props.actions}</Group>}
      </Group>
      {props.children}
    </Stack>
  );
}
