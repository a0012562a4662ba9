/** Where data comes in: dropped anywhere on the view, or chosen; and what is on its way. */
import { Button, FileButton, Stack, Text, Title } from '@mantine/core';
import { IconDatabaseImport, IconFilePlus } from '@tabler/icons-react';
import { useRef, useState } from 'react';

import { DropAnywhere } from '../../ui/DropAnywhere';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './Intake.module.css';
import { LARGEST } from './queries';
import { useSending, type Sending } from './sending';
import { SendingCard } from './SendingCard';

interface Props {
  onFiles: (files: readonly File[]) => void;
  onAgain: (one: Sending) => void;
  /** Whether there is nothing yet: then this is what the view is about. */
  first: boolean;
}

export function Intake({ onFiles, onAgain, first }: Props) {
  const { data: words } = useWords();
  const format = useFormat();
  const sending = useSending();
  const reset = useRef<() => void>(null);
  const [folder, setFolder] = useState(false);
  const take = (files: readonly File[]) => {
    setFolder(false);
    if (files.length > 0) onFiles(files);
  };
  const drop = ({ items, files }: DataTransfer) => {
    const isFolder = [...items].some((item) => item.webkitGetAsEntry()?.isDirectory);
    if (isFolder) setFolder(true);
    else take([...files]);
  };
  const largest = format.bytes(LARGEST);
  return (
    <Stack gap="sm">
      <section className={classes.intake} aria-labelledby="intake" data-first={first || undefined}>
        <DropAnywhere says={words.add.drop} onDrop={drop} />
        <IconDatabaseImport size={32} aria-hidden className={classes.icon} />
        <div>
          <Title order={2} size="h4" id="intake">
            {first ? words.none : words.add.title}
          </Title>
          <Text size="sm" c="dimmed" mt={4} className="lead">
            {first ? words.noneHint(largest) : words.add.hint(largest)}
          </Text>
        </div>
        <FileButton
          multiple
          resetRef={reset}
          onChange={(files) => {
            take(files);
            // A browser says nothing when the same file is chosen again, unless it has forgotten it.
            reset.current?.();
          }}
        >
          {(props) => (
            <Button {...props} leftSection={<IconFilePlus size={18} aria-hidden />}>
              {words.add.choose}
            </Button>
          )}
        </FileButton>
        {folder && (
          <Text size="sm" role="alert" c="var(--mantine-color-error)" className={classes.fault ?? ''}>
            {words.add.folder}
          </Text>
        )}
      </section>
      {sending.map((one) => (
        <SendingCard key={one.id} sending={one} again={() => onAgain(one)} />
      ))}
    </Stack>
  );
}
