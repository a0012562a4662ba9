/** One file on its way, or why it could not be brought in. */
import { Button, CloseButton, Group, Stack, Text } from '@mantine/core';

import { ProblemAlert } from '../../ui/ProblemAlert';
import { Track } from '../../ui/Track';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { LARGEST } from './queries';
import { dismiss, type Sending } from './sending';

export function SendingCard({ sending, again }: { sending: Sending; again: () => void }) {
  const { add: words } = useWords().data;
  const format = useFormat();
  const { id, file, sent, fault, error } = sending;
  const goes = fault === null && error === null;
  const title = !goes
    ? words.failed(file.name)
    : sent < 1
      ? words.sending(file.name)
      : words.reading(file.name);
  return (
    <Stack gap="xs" className="card">
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text fw={600} className="words" role="status">
          {title}
          {goes && (
            <Text span c="dimmed" size="sm" className="figures" aria-hidden>
              {` · ${words.sent(format.bytes(sent * file.size), format.bytes(file.size))}`}
            </Text>
          )}
        </Text>
        {goes ? (
          <Button size="compact-sm" variant="default" onClick={() => dismiss(id)}>
            {words.cancel}
          </Button>
        ) : (
          <CloseButton size="sm" onClick={() => dismiss(id)} aria-label={words.dismiss(file.name)} />
        )}
      </Group>
      {goes && <Track fraction={sent < 1 ? sent : undefined} label={words.progress} />}
      {fault && (
        <Text size="sm" role="alert" c="var(--mantine-color-error)">
          {words.large(format.bytes(LARGEST))}
        </Text>
      )}
      {error !== null && <ProblemAlert error={error} again={again} />}
    </Stack>
  );
}
