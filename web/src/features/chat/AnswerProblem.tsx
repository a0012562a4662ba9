/** Why an answer did not come, or not whole, and what can be done. */
import { Alert, Button, Group, Text } from '@mantine/core';

import { ProblemError } from '../../api/problem';
import { useWords } from '../../words';
import { BrokenOff } from './ask';

interface Props {
  error: unknown;
  /** Whether the question stands in the conversation all the same. */
  kept: boolean;
  onRetry: (() => void) | undefined;
  /** Back to what stands in the conversation. */
  onDiscard: (() => void) | undefined;
}

export function AnswerProblem({ error, kept, onRetry, onDiscard }: Props) {
  const { chat, shell } = useWords();
  const problem = error instanceof ProblemError ? error.problem : null;
  const broken = error instanceof BrokenOff;
  const title = problem?.detail ?? (broken ? chat.problems.broken : shell.unreachable);
  const hint = problem ? problem.remedy : broken ? chat.problems.brokenHint : chat.problems.unreachableHint;
  return (
    <Alert color="red" role="alert" title={title} className="words" mt="xs">
      {hint && <Text size="sm">{hint}</Text>}
      {problem && !kept && (
        <Text size="sm" mt={4}>
          {chat.problems.notAsked}
        </Text>
      )}
      {(onRetry || onDiscard) && (
        <Group mt="sm" gap="xs">
          {onRetry && (
            <Button size="xs" variant="default" onClick={onRetry}>
              {chat.problems.retry}
            </Button>
          )}
          {onDiscard && (
            <Button size="xs" variant="subtle" color="gray" onClick={onDiscard}>
              {chat.problems.discard}
            </Button>
          )}
        </Group>
      )}
    </Alert>
  );
}
