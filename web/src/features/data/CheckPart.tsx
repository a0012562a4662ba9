/** The report of the last check, and the form of the next: for which base, against which held-out set. */
import { Button, Collapse, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconListCheck } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent } from 'react';

import { isOver, modelsQuery } from '../../api/queries';
import { JobProgress } from '../../ui/JobProgress';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import classes from './DataSet.module.css';
import { Part } from './Part';
import { dataSetsQuery, startCheck, useLatest, useStart, type DataSetEntry } from './queries';
import { ReportBody } from './ReportBody';

export function CheckPart({ set }: { set: DataSetEntry }) {
  const { check: words } = useWords().data;
  const job = useLatest(set.id, 'check');
  const start = useStart((asked: Parameters<typeof startCheck>[1]) => startCheck(set.id, asked));
  const [opened, { toggle, close }] = useDisclosure();
  const busy = job !== undefined && !isOver(job.state);
  // A check that failed is told of until another one has succeeded.
  const tells = job !== undefined && job.state !== 'succeeded';
  const { report } = set;
  const client = useQueryClient();
  const done = job?.state === 'succeeded' ? job.id : undefined;
  // One that ended before anybody followed it has left its report all the same.
  useEffect(() => {
    if (done !== undefined) void client.invalidateQueries({ queryKey: ['data', set.id] });
  }, [done, client, set.id]);
  return (
    <Part id="report" title={words.title}>
      <Stack mt="sm">
        {!report && !tells && (
          <Text>
            {words.none}.{' '}
            <Text span c="dimmed">
              {words.noneHint}
            </Text>
          </Text>
        )}
        {tells && job && <JobProgress key={job.id} id={job.id} />}
        {report && !busy && <ReportBody set={set} report={report} />}
        {start.error && <ProblemAlert error={start.error} />}
        {!busy && (
          <>
            <Group>
              <Button
                variant={report ? 'default' : 'filled'}
                leftSection={<IconListCheck size={18} aria-hidden />}
                aria-expanded={opened}
                aria-controls="check"
                onClick={toggle}
              >
                {report ? words.again : words.submit}
              </Button>
            </Group>
            <Collapse expanded={opened} id="check">
              <CheckForm
                set={set}
                pending={start.isPending}
                onSubmit={(asked) => start.mutate(asked, { onSuccess: close })}
              />
            </Collapse>
          </>
        )}
      </Stack>
    </Part>
  );
}

interface FormProps {
  set: DataSetEntry;
  pending: boolean;
  onSubmit: (asked: { base: string | null; held_out_id: string | null }) => void;
}

function CheckForm({ set, pending, onSubmit }: FormProps) {
  const { check: words } = useWords().data;
  const bases = (useQuery(modelsQuery).data ?? []).filter(({ base }) => base.format !== 'remote');
  const others = (useInfiniteQuery(dataSetsQuery).data?.pages.flat() ?? []).filter(
    ({ id, recognized }) => id !== set.id && recognized.format,
  );
  const [base, setBase] = useState(set.checked?.base ?? '');
  const [heldOut, setHeldOut] = useState(set.checked?.held_out_id ?? '');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit({ base: base || null, held_out_id: others.some(({ id }) => id === heldOut) ? heldOut : null });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <div className={classes.fields}>
          <NativeSelect
            label={words.base}
            description={words.baseHint}
            inputWrapperOrder={['label', 'input', 'description']}
            value={base}
            onChange={(event) => setBase(event.currentTarget.value)}
            data={[
              { value: '', label: words.noBase },
              ...bases.map((entry) => ({ value: entry.base.name, label: entry.base.name })),
            ]}
          />
          <NativeSelect
            label={words.heldOut}
            description={words.heldOutHint}
            inputWrapperOrder={['label', 'input', 'description']}
            value={heldOut}
            onChange={(event) => setHeldOut(event.currentTarget.value)}
            data={[
              { value: '', label: words.noHeldOut },
              ...others.map(({ id, name }) => ({ value: id, label: name })),
            ]}
          />
        </div>
        <Group>
          <Button type="submit" loading={pending}>
            {words.submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
