/** Why a key was not taken, and what helps. */
import { Alert, Text } from '@mantine/core';

import { hasStatus, ProblemError, isUnreachable } from '../api/problem';
import { useWords } from '../words';

interface Props {
  error: unknown;
  /** Seconds until the next attempt. */
  left: number;
  /** Where it was tried; empty for the studio that served the page. */
  address: string;
}

export function SignInProblem({ error, left, address }: Props) {
  const words = useWords().shell.signIn;
  if (isUnreachable(error)) {
    // A browser does not tell a page whether nobody answered or the studio does not admit the page's origin.
    const foreign = address !== '' && address !== window.location.origin;
    return (
      <Alert color="yellow" role="alert" title={words.unreachable} className="words notice">
        <Text size="sm">{words.unreachableHint}</Text>
        {foreign && (
          <Text size="sm" mt={4}>
            {words.foreignHint(window.location.origin)}
          </Text>
        )}
      </Alert>
    );
  }
  const problem = error instanceof ProblemError ? error.problem : null;
  const remedy = hasStatus(error, 429) && left > 0 ? words.wait(String(left)) : problem?.remedy;
  return (
    <Alert color="red" role="alert" title={problem?.detail ?? words.refused} className="words">
      {remedy && <Text size="sm">{remedy}</Text>}
    </Alert>
  );
}
