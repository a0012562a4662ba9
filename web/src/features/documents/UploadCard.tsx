/** Files on their way to the studio, one by one, and those that could not be sent. */
import { Button, CloseButton, Group, Stack, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';

import { ProblemAlert } from '../../ui/ProblemAlert';
import { Track } from '../../ui/Track';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { sentOf, sizeOf } from './files';
import { FileLines, type FileLine } from './FileLines';
import { cancelUpload, dismissUpload, type Upload } from './uploads';
import { useQuery } from '@tanstack/react-query';
import { acceptedQuery } from './queries';

export function UploadCard({ upload, again }: { upload: Upload; again: () => void }) {
  const { documents, shell } = useWords();
  const { upload: words, job } = documents;
  const format = useFormat();
  const { data: accepted } = useQuery(acceptedQuery);
  const total = sizeOf(upload.files);
  const isSending = upload.state === 'sending';
  const title =
    upload.state === 'sending'
      ? words.sending(format.count(upload.files.length), upload.collection)
      : upload.state === 'failed'
        ? words.failed(format.count(upload.files.length))
        : words.refused(format.count(upload.refused.length));
  return (
    <Stack gap="xs" className="card">
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text fw={600} className="words" role="status">
          {upload.refused.length > 0 || upload.state !== 'over'
            ? title
            : words.leftOut(format.count(upload.leftOut))}
          {isSending && (
            <Text span c="dimmed" size="sm" className="figures" aria-hidden>
              {` · ${words.sent(format.bytes(upload.sent), format.bytes(total))}`}
            </Text>
          )}
        </Text>
        {isSending ? (
          <Button size="compact-sm" variant="default" onClick={() => cancelUpload(upload.id)}>
            {words.cancel}
          </Button>
        ) : (
          <CloseButton size="sm" onClick={() => dismissUpload(upload.id)} aria-label={job.dismiss(title)} />
        )}
      </Group>
      {isSending && <Track fraction={total > 0 ? upload.sent / total : undefined} label={words.progress} />}
      {upload.state === 'failed' && upload.error !== null && (
        <ProblemAlert error={upload.error}>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconRefresh size={14} aria-hidden />}
            onClick={again}
          >
            {upload.files.length > 0 ? words.again : shell.again}
          </Button>
        </ProblemAlert>
      )}
      <FileLines label={words.files} lines={linesOf(upload, format, words, accepted?.largest_file ?? 0)} />
      {upload.leftOut > 0 && (upload.refused.length > 0 || upload.state !== 'over') && (
        <Text size="sm" c="dimmed">
          {words.leftOut(format.count(upload.leftOut))}
        </Text>
      )}
    </Stack>
  );
}

function linesOf(
  { files, sent, state, refused }: Upload,
  format: ReturnType<typeof useFormat>,
  words: ReturnType<typeof useWords>['documents']['upload'],
  largest: number,
): FileLine[] {
  const gone = sentOf(files, sent);
  return [
    ...refused.map(({ path, fault }) => ({
      name: path,
      fault: fault === 'large' ? words.large(format.bytes(largest)) : words.unreadable,
    })),
    ...files.map(({ file, path }, place) => {
      const of = gone[place] ?? 0;
      const isOver = of >= file.size && state === 'sending' && sent > 0;
      const how = isOver ? 'sent' : of > 0 ? 'sending' : 'waiting';
      return {
        name: path,
        fact:
          how === 'sending'
            ? words.sent(format.bytes(of), format.bytes(file.size))
            : `${format.bytes(file.size)} · ${words.states[how]}`,
      };
    }),
  ];
}
