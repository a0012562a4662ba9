/** What can be done with a run: pause or stop it while it goes on, and after that take its result to the chat. */
import { Button } from '@mantine/core';
import { IconColumns2, IconMessage, IconPlayerPause } from '@tabler/icons-react';

import { useCancelJob } from '../../api/jobs';
import { isOver, type Job } from '../../api/queries';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { usePausing } from './queries';

interface Props {
  job: Job;
  /** The name of the variant that came out, as long as it is there. */
  made: string | undefined;
  base: string | undefined;
}

export function RunActions({ job, made, base }: Props) {
  const { runs: words, jobs } = useWords();
  const cancel = useCancelJob(job.id);
  const pause = usePausing(job.id, 'pause');
  if (made !== undefined) {
    return (
      <>
        {base !== undefined && (
          <ButtonLink
            to="/chat"
            search={{ variant: made, beside: base }}
            leftSection={<IconColumns2 size={18} aria-hidden />}
          >
            {words.beside}
          </ButtonLink>
        )}
        <ButtonLink
          to="/chat"
          search={{ variant: made }}
          variant="default"
          leftSection={<IconMessage size={18} aria-hidden />}
        >
          {words.tryIt}
        </ButtonLink>
        <ButtonLink to="/models/$name" params={{ name: made }} variant="default">
          {words.seeModel}
        </ButtonLink>
      </>
    );
  }
  if (isOver(job.state)) return null;
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconPlayerPause size={18} aria-hidden />}
        onClick={() => pause.mutate()}
        loading={pause.isPending}
      >
        {words.pause}
      </Button>
      <ConfirmButton
        title={words.cancelTitle}
        hint={words.cancelHint}
        confirm={words.cancel}
        dismiss={jobs.keepGoing}
        loading={cancel.isPending}
        onConfirm={() => cancel.mutate()}
      >
        {words.cancel}
      </ConfirmButton>
      {(cancel.error ?? pause.error) && <ProblemAlert error={cancel.error ?? pause.error} />}
    </>
  );
}
