/** Where documents come in: dropped anywhere on the view, chosen, or gone for by the studio. */
import { Button, Collapse, FileButton, Group, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronDown, IconFilePlus, IconFolderPlus, IconFiles } from '@tabler/icons-react';
import { useRef, type ReactNode, type RefObject } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { DropAnywhere } from '../../ui/DropAnywhere';
import { chosen } from './files';
import { FromElsewhere } from './FromElsewhere';
import classes from './Intake.module.css';
import { useFormats } from './useFormats';
import type { useIntake } from './useIntake';

interface Props {
  intake: ReturnType<typeof useIntake>;
  /** Name of the collection that they go into. */
  collection: string;
  /** How it is chosen, where there is a choice. */
  choice?: ReactNode;
  /** Whether there is nothing yet: then this is what the view is about. */
  first: boolean;
}

/** Phones know no folders. */
const HAS_FOLDERS = 'webkitdirectory' in HTMLInputElement.prototype;

export function Intake({ intake, collection, choice, first }: Props) {
  const { documents: words } = useWords();
  const { add, upload } = words;
  const format = useFormat();
  const formats = useFormats();
  const [opened, { toggle }] = useDisclosure();
  const { accepted, fault, take, drop } = intake;
  const resetFiles = useRef<() => void>(null);
  const resetFolder = useRef<() => void>(null);
  // A browser says nothing when the same files are chosen again, unless it has forgotten them.
  const choose = (files: readonly File[], reset: RefObject<(() => void) | null>) => {
    take(chosen(files));
    reset.current?.();
  };
  const largest = accepted ? format.bytes(accepted.largest_file) : '';
  return (
    <section className={classes.intake} aria-labelledby="intake">
      <DropAnywhere says={add.dropHere(collection)} onDrop={drop} />
      <Stack gap="md">
        <div className={classes.zone} data-first={first || undefined}>
          <IconFiles size={32} aria-hidden className={classes.icon} />
          <div className={classes.say}>
            <Title order={2} size="h4" id="intake">
              {first ? words.none : add.title}
            </Title>
            <Text size="sm" c="dimmed" mt={4} className="lead">
              {first ? words.noneHint(formats, largest) : add.drop}
            </Text>
            {!first && (
              <Text size="sm" c="dimmed" mt={2}>
                {add.formats(formats, largest)}
              </Text>
            )}
          </div>
          <Group gap="xs" className={classes.buttons ?? ''}>
            <FileButton onChange={(files) => choose(files, resetFiles)} resetRef={resetFiles} multiple>
              {(props) => (
                <Button {...props} disabled={!accepted} leftSection={<IconFilePlus size={18} aria-hidden />}>
                  {add.files}
                </Button>
              )}
            </FileButton>
            {HAS_FOLDERS && (
              <FileButton
                onChange={(files) => choose(files, resetFolder)}
                resetRef={resetFolder}
                multiple
                inputProps={{ webkitdirectory: '' } as Record<string, string>}
              >
                {(props) => (
                  <Button
                    {...props}
                    variant="default"
                    disabled={!accepted}
                    leftSection={<IconFolderPlus size={18} aria-hidden />}
                  >
                    {add.folder}
                  </Button>
                )}
              </FileButton>
            )}
            <Button
              variant="subtle"
              color="gray"
              rightSection={
                <IconChevronDown size={16} aria-hidden data-open={opened} className={classes.chevron} />
              }
              aria-expanded={opened}
              aria-controls="elsewhere"
              onClick={toggle}
            >
              {add.elsewhere}
            </Button>
          </Group>
        </div>
        {fault && (
          <Text size="sm" role="alert" c="var(--mantine-color-error)">
            {upload[fault]}
          </Text>
        )}
        {choice}
        <Collapse expanded={opened} id="elsewhere">
          <FromElsewhere collection={collection} most={accepted?.most_urls ?? 1} />
        </Collapse>
      </Stack>
    </section>
  );
}
