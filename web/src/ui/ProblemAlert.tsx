/** An error as the studio told it, with its remedy and, where one helps, the press that tries again. */
import { Alert, Button, Group, Text } from '@mantine/core';
import { IconAlertTriangle, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import { codeOf, isUnreachable, ProblemError } from '../api/problem';
import { useWords } from '../words';

interface Props {
  error: unknown;
  again?: (() => void) | undefined;
  pending?: boolean;
  /** Whatever else helps, beside the press that tries again. */
  children?: ReactNode;
}

export function ProblemAlert({ error, again, pending = false, children }: Props) {
  const { shell, jobs } = useWords();
  const problem = error instanceof ProblemError && !isUnreachable(error) ? error.problem : null;
  // Some of the studio's remedies speak to the command line or to programs: the page has its own words for those.
  const own: Record<string, string> = jobs.remedies;
  const code = codeOf(error);
  const remedy = problem ? ((code && own[code]) ?? problem.remedy) : shell.unreachableHint;
  return (
    <Alert
      color="red"
      role="alert"
      radius="lg"
      icon={<IconAlertTriangle aria-hidden />}
      title={problem?.detail ?? shell.unreachable}
      className="words"
    >
      {remedy && <Text size="sm">{remedy}</Text>}
      {(again !== undefined || children !== undefined) && (
        <Group gap="xs" mt="sm">
          {again && (
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<IconRefresh size={14} aria-hidden />}
              onClick={again}
              loading={pending}
            >
              {shell.again}
            </Button>
          )}
          {children}
        </Group>
      )}
    </Alert>
  );
}
