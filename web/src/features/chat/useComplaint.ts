/** What went wrong with a small act, such as a thumb: told at the edge of the page, since nothing waits for it. */
import { notifications } from '@mantine/notifications';

import { isUnreachable, ProblemError } from '../../api/problem';
import { useWords } from '../../words';

export function useComplaint(): (error: unknown) => void {
  const { jobs, shell } = useWords();
  return (error) => {
    const problem = error instanceof ProblemError && !isUnreachable(error) ? error.problem : null;
    notifications.show({
      color: 'red',
      title: problem?.detail ?? shell.unreachable,
      message: problem ? problem.remedy : shell.unreachableHint,
      closeButtonProps: { 'aria-label': jobs.close },
      className: 'words',
    });
  };
}
