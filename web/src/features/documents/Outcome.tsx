/** What a job that is over did: the counts, what could not be read and why, and each file if one wants to know. */
import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';

import type { Job } from '../../api/queries';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { reportOf } from './activity';
import { FilesOfJob } from './FilesOfJob';

const OUTCOMES = ['added', 'updated', 'unchanged', 'deleted', 'failed'] as const;
const COLOURS = { added: 'teal', updated: 'cyan', unchanged: 'gray', deleted: 'gray', failed: 'red' };
const CLASSES: Record<string, string> = { added: 'state-succeeded', failed: 'state-failed' };

export function Outcome({ job }: { job: Job }) {
  const { job: words } = useWords().documents;
  const format = useFormat();
  const report = reportOf(job);
  if (job.kind === 'embed') return <Embedded job={job} />;
  if (!report)
    return (
      <Stack gap="xs">
        <Text size="sm">{words.cancelled}</Text>
        <FileByFile job={job} label={words.each} />
      </Stack>
    );
  const told = OUTCOMES.filter((key) => report[key] > 0);
  const notes = [
    ...(report.copied > 0 ? [words.copied(format.count(report.copied))] : []),
    ...(report.skipped > 0 ? [words.skipped(format.count(report.skipped))] : []),
  ];
  const count = report.documents + report.deleted;
  return (
    <Stack gap="xs">
      <Group gap={6} role="status">
        {told.map((key) => (
          <Badge key={key} variant="light" color={COLOURS[key]} className={`state ${CLASSES[key] ?? ''}`}>
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
      {report.failed > 0 && <FilesOfJob job={job.id} outcome="failed" label={words.failures} />}
      {count > report.failed && <FileByFile job={job} label={words.fileByFile(format.count(count))} />}
    </Stack>
  );
}

function FileByFile({ job, label }: { job: Job; label: string }) {
  const { job: words } = useWords().documents;
  const [opened, { toggle }] = useDisclosure();
  return (
    <div>
      <Button size="compact-sm" variant="subtle" ms={-8} onClick={toggle} aria-expanded={opened}>
        {opened ? words.hide : label}
      </Button>
      {opened && <FilesOfJob job={job.id} label={words.each} />}
    </div>
  );
}

function Embedded({ job }: { job: Job }) {
  const { documents } = useWords();
  const format = useFormat();
  const { chunks, embedder } = (job.result ?? {}) as { chunks?: number; embedder?: string };
  if (chunks === undefined || embedder === undefined) return null;
  return (
    <Text size="sm" role="status" className="words">
      {documents.job.embedded(format.count(chunks), embedder)}
    </Text>
  );
}
