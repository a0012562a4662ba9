/** What few need, behind one press. */
import { Button, Collapse, Group } from '@mantine/core';
import { useDisclosure, useId } from '@mantine/hooks';
import type { ReactNode } from 'react';

export function Fold({ more, less, children }: { more: string; less: string; children: ReactNode }) {
  const [opened, { toggle }] = useDisclosure();
  const id = useId();
  return (
    <>
      <Group>
        <Button
          variant="subtle"
          size="compact-sm"
          ms={-8}
          onClick={toggle}
          aria-expanded={opened}
          aria-controls={id}
        >
          {opened ? less : more}
        </Button>
      </Group>
      <Collapse expanded={opened} id={id}>
        {children}
      </Collapse>
    </>
  );
}
