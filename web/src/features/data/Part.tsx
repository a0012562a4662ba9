/** A part of a set's view, with its heading. */
import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

interface Props {
  id: string;
  title: string;
  lead?: string;
  children: ReactNode;
}

export function Part({ id, title, lead, children }: Props) {
  return (
    <section className="card" aria-labelledby={id}>
      <Title order={2} size="h4" id={id}>
        {title}
      </Title>
      {lead && (
        <Text size="sm" c="dimmed" mt={4} className="lead">
          {lead}
        </Text>
      )}
      {children}
    </section>
  );
}
