/** What is shown instead of a view that broke: the rest of the page stays usable. */
import { Alert, Button, Stack } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';

import { useTitle } from '../ui/title';
import { useWords } from '../words';

export function ViewError({ error, reset }: ErrorComponentProps) {
  const { shell } = useWords();
  useTitle(shell.broken);
  return (
    <Stack p="lg" align="flex-start">
      <Alert color="red" title={shell.broken} role="alert">
        <span className="words">{error instanceof Error ? error.message : String(error)}</span>
      </Alert>
      <Button onClick={reset}>{shell.again}</Button>
    </Stack>
  );
}
