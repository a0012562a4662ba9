/** What stands in a dialog that does something: its content, what went wrong, and the two ways out. */
import { Button, Group, Stack } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';

import { useWords } from '../words';
import { ProblemAlert } from './ProblemAlert';

interface Props {
  children: ReactNode;
  error: unknown;
  submit: string;
  pending: boolean;
  ready?: boolean;
  /** It cannot be taken back: the way out without it comes first for the keyboard. */
  danger?: boolean;
  /** That way out, where it is called otherwise than by closing. */
  dismiss?: string;
  onSubmit: () => void;
  onClose: () => void;
}

export function DialogForm(props: Props) {
  const {
    children,
    error,
    submit,
    pending,
    ready = true,
    danger = false,
    dismiss,
    onSubmit,
    onClose,
  } = props;
  const { jobs } = useWords();
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (ready) onSubmit();
  };
  return (
    <form onSubmit={send} noValidate>
      <Stack>
        {children}
        {error != null && <ProblemAlert error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus={danger || undefined}>
            {dismiss ?? jobs.close}
          </Button>
          <Button type="submit" loading={pending} disabled={!ready} {...(danger ? { color: 'red' } : {})}>
            {submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
