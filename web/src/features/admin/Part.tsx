/** A part of a form: what it is about at the left, its fields at the right; one above the other on a phone. */
import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

import classes from './admin.module.css';

export function Part({ title, hint, children }: { title: string; hint: string; children: ReactNode }) {
  return (
    <section className={`card ${classes.part ?? ''}`}>
      <div>
        <Title order={2} size="h5">
          {title}
        </Title>
        <Text size="sm" c="dimmed" mt={4}>
          {hint}
        </Text>
      </div>
      <div className={classes.fields}>{children}</div>
    </section>
  );
}
