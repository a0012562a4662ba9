/** The recipe as a file, beside the form: to read, to copy, to keep, and to give to the command line. */
import { ActionIcon, Code, CopyButton, Group, Stack, Text, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy, IconDownload } from '@tabler/icons-react';
import { useMemo } from 'react';

import { saveText } from '../../ui/saveText';
import { useWords } from '../../words';
import type { Draft } from './recipe';
import { recipeText, sweepText } from './recipeText';
import type { Sweep } from './sweep';

interface Props {
  base: string;
  name: string;
  draft: Draft;
  sweep: Sweep | null;
}

export function RecipeText({ base, name, draft, sweep }: Props) {
  const { form: words } = useWords().runs;
  const text = useMemo(() => recipeText({ base, name }, draft), [base, name, draft]);
  const over = useMemo(() => sweep && sweepText(sweep), [sweep]);
  const file = name || 'recipe';
  return (
    <Stack gap="md">
      <FileText
        title={words.asFile}
        hint={draft.data_id ? words.asFileWithSet : words.asFileHint}
        save={words.saveFile}
        text={text}
        file={`${file}.yaml`}
      />
      {over && (
        <FileText
          title={words.sweepFile}
          hint={words.sweepFileHint}
          save={words.saveSweep}
          text={over}
          file={`${file}.sweep.yaml`}
        />
      )}
    </Stack>
  );
}

interface FileProps {
  title: string;
  hint: string;
  /** What the press that keeps it is called. */
  save: string;
  text: string;
  file: string;
}

function FileText({ title, hint, save, text, file }: FileProps) {
  const { jobs } = useWords();
  return (
    <section aria-label={title}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text fw={600}>{title}</Text>
        <Group gap={4} wrap="nowrap">
          <CopyButton value={text}>
            {({ copied, copy }) => (
              <Tooltip label={copied ? jobs.copied : jobs.copy}>
                <ActionIcon variant="subtle" onClick={copy} aria-label={`${jobs.copy}: ${title}`}>
                  {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
                </ActionIcon>
              </Tooltip>
            )}
          </CopyButton>
          <Tooltip label={save}>
            <ActionIcon
              variant="subtle"
              onClick={() => saveText(text, file, 'application/yaml')}
              aria-label={save}
            >
              <IconDownload size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        {hint}
      </Text>
      <Code block tabIndex={0}>
        {text}
      </Code>
    </section>
  );
}
