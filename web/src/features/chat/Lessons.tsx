/** Above the field for the next message: what was corrected and is not learned yet, the run that learns it, and the
 * way back from the variant that came of it. */
import { Button, CloseButton, Group, Text } from '@mantine/core';
import { IconArrowBackUp, IconSchool } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';

import { jobError, useJob } from '../../api/jobs';
import { isOver } from '../../api/queries';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './chat.module.css';
import { LESSONS, lessonsQuery, useLearn, type LearnStatus, type LessonRun } from './lessons';
import type { Conversation } from './useConversation';

/** The run whose end needs no more words in this browser. */
const SETTLED = 'twotrack.lessons.settled';

export function Lessons({ conversation }: { conversation: Conversation }) {
  const variant = conversation.chosen.main;
  const { data: status } = useQuery({ ...lessonsQuery(variant ?? ''), enabled: variant !== null });
  const { job } = useJob(status?.latest?.job.id);
  const [, redraw] = useState(0);
  useArrival(status?.latest ?? null, conversation);
  if (!status?.trainable) return null;
  const { latest } = status;
  const known = job ?? latest?.job;
  const running = known && !isOver(known.state);
  const settle = () => {
    if (latest) localStorage.setItem(SETTLED, latest.job.id);
    redraw((count) => count + 1);
  };
  if (latest && running) {
    return (
      <Bar>
        <JobProgress id={latest.job.id} />
      </Bar>
    );
  }
  const told = latest !== null && localStorage.getItem(SETTLED) !== latest.job.id;
  return (
    <>
      {told && known?.state === 'failed' && (
        <Bar onClose={settle}>
          <ProblemAlert error={jobError(known)} />
        </Bar>
      )}
      {told && latest.variant !== null && (
        <Learned latest={latest} conversation={conversation} onClose={settle} />
      )}
      {status.corrections + status.praised > 0 && <Waiting status={status} />}
    </>
  );
}

/** When a run ends while this conversation is on the page, the variant that came of it goes on with it. */
function useArrival(latest: LessonRun | null, conversation: Conversation): void {
  const client = useQueryClient();
  const { job } = useJob(latest?.job.id);
  const { choose, answerers } = conversation;
  const awaited = useRef<string | null>(null);
  const state = job?.state;
  const id = latest?.job.id ?? null;
  useEffect(() => {
    if (id !== null && state !== undefined && !isOver(state)) awaited.current = id;
    if (awaited.current !== id || id === null || state === undefined || !isOver(state)) return;
    const name = latest?.variant ?? null;
    if (state === 'succeeded' && (name === null || !answerers.some((one) => one.name === name))) {
      void client.invalidateQueries({ queryKey: LESSONS });
      void client.invalidateQueries({ queryKey: ['models'] });
      return;
    }
    awaited.current = null;
    if (name !== null) choose('main', name);
    else void client.invalidateQueries({ queryKey: LESSONS });
  }, [id, state, latest, answerers, choose, client]);
}

function Learned(props: { latest: LessonRun; conversation: Conversation; onClose: () => void }) {
  const { chat } = useWords();
  const { variant, before } = props.latest;
  const { chosen, choose } = props.conversation;
  if (variant === null) return null;
  const here = chosen.main === variant;
  const other = here ? before : variant;
  return (
    <Bar onClose={props.onClose}>
      <Group gap="xs">
        <Text size="sm" role="status" className="words" miw={0}>
          {here ? chat.lessons.learned(variant) : chat.lessons.ready(variant)}
        </Text>
        {other !== null && (
          <Button
            size="compact-sm"
            variant="light"
            leftSection={
              here ? <IconArrowBackUp size={14} aria-hidden /> : <IconSchool size={14} aria-hidden />
            }
            onClick={() => choose('main', other)}
          >
            {here ? chat.lessons.back(other) : chat.lessons.use(other)}
          </Button>
        )}
      </Group>
    </Bar>
  );
}

function Waiting({ status }: { status: LearnStatus }) {
  const { chat } = useWords();
  const format = useFormat();
  const learn = useLearn(status.variant);
  const { corrections, praised, learned } = status;
  return (
    <Bar>
      <Group gap="xs" justify="space-between">
        <Text size="sm" miw={0}>
          {chat.lessons.waiting(corrections, format.count(corrections), praised, format.count(praised))}
          {learned > 0 && (
            <Text span size="sm" c="dimmed">
              {' '}
              {chat.lessons.along(format.count(learned))}
            </Text>
          )}
        </Text>
        <Button
          size="compact-sm"
          variant="light"
          leftSection={<IconSchool size={14} aria-hidden />}
          loading={learn.isPending}
          onClick={() => learn.mutate()}
          title={chat.lessons.hint(status.base)}
        >
          {chat.lessons.learn}
        </Button>
      </Group>
    </Bar>
  );
}

function Bar({ onClose, children }: { onClose?: () => void; children: ReactNode }) {
  const { jobs } = useWords();
  return (
    <div className={classes.lessons}>
      <div>{children}</div>
      {onClose && <CloseButton size="sm" aria-label={jobs.close} onClick={onClose} />}
    </div>
  );
}
