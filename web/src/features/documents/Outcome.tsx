/** What a job that is over did: the counts, what could not be read and why, and each file if one wants to know. */
import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';

import type { Job } from '../../api/queries';
import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useSpeech } from '../../words';
import { useFormat } from '../../words/format';
import { reportOf } from './activity';
import { FileLines } from './FileLines';
import { filesQuery } from './queries';

const COLOURS = {
  added: 'teal',
  updated: 'cyan',
  unchanged: 'gray',
  deleted: 'gray',
  failed: 'red',
} as const;
const STATES = { added: 'state-succeeded', failed: 'state-failed' } as Record<string, string>;

export function Outcome({ job }: { job: Job }) {
  const { language, words: all } = useSpeech();
  const { job: words } = all.documents;
  const format = useFormat();
  const report = reportOf(job);
  if (job.kind === 'embed') return <Embedded job={job} />;
  if (job.state === 'cancelled')
    return (
      <>
        <Text size="sm">{words.cancelled}</Text>
        <FileByFile job={job} />
      </>
    );
  if (!report) return null;
  const told = (['added', 'updated', 'unchanged', 'deleted', 'failed'] as const).filter(
    (key) => report[key] > 0,
  );
  const notes = [
    ...(report.copied > 0 ? [words.copied(format.count(report.copied))] : []),
    ...(report.skipped > 0 ? [words.skipped(format.count(report.skipped))] : []),
  ];
  const untold = report.failed - report.failures.length;
  return (
    <Stack gap="xs">
      <Group gap={6} role="status">
        {told.map((key) => (
          <Badge key={key} variant="light" color={COLOURS[key]} className={`state ${STATES[key] ?? ''}`}>
            {words[key](format.count(report[key]))}
          </Badge>
        ))}
        {told.length === 0 && <Text size="sm">{words.nothing}</Text>}
        {notes.length > 0 && (
          <Text size="sm" c="dimmed">
            {notes.join(' · ')}
          </Text>
        )}
      </Group>
      {report.failures.length > 0 && (
        <FileLines
          label={words.failures}
          lines={report.failures.map((failure) => ({ name: failure.source, fault: failure[language] }))}
        />
      )}
      {untold > 0 && <Text size="sm">{words.moreFailures(format.count(untold))}</Text>}
      <FileByFile job={job} count={report.documents + report.deleted} />
    </Stack>
  );
}

function FileByFile({ job, count }: { job: Job; count?: number }) {
  const { words: all } = useSpeech();
  const { job: words, list } = all.documents;
  const format = useFormat();
  const [opened, { toggle }] = useDisclosure();
  const files = useInfiniteQuery({ ...filesQuery(job.id), enabled: opened });
  if (count === 0) return null;
  return (
    <div>
      <Button size="compact-sm" variant="subtle" ms={-8} onClick={toggle} aria-expanded={opened}>
        {opened ? words.hide : count === undefined ? words.each : words.fileByFile(format.count(count))}
      </Button>
      {opened && (
        <div>
          {files.error ? (
            <ProblemAlert error={files.error} />
          ) : (
            !files.data && <Loading rows={2} height={28} />
          )}
          <FileLines
            label={words.each}
            lines={(files.data?.pages ?? []).flatMap((page) =>
              page.files.map(({ source, outcome, chunks, copied }) => ({
                name: source,
                fact: [
                  words.outcomes[outcome],
                  ...(chunks > 0 ? [all.documents.passages(format.count(chunks))] : []),
                  ...(copied ? [words.copy] : []),
                ].join(' · '),
              })),
            )}
          />
          {files.hasNextPage && (
            <Button
              size="compact-sm"
              variant="subtle"
              ms={-8}
              onClick={() => void files.fetchNextPage()}
              loading={files.isFetchingNextPage}
            >
              {list.more}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function Embedded({ job }: { job: Job }) {
  const { words } = useSpeech();
  const format = useFormat();
  const { chunks, embedder } = (job.result ?? {}) as { chunks?: number; embedder?: string };
  if (chunks === undefined || embedder === undefined) return null;
  return (
    <Text size="sm" role="status" className="words">
      {words.documents.job.embedded(format.count(chunks), embedder)}
    </Text>
  );
}
