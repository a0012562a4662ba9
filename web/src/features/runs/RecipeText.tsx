/** The recipe as a file, beside the form: to read, to copy, to keep, and to give to the command line. */
import { ActionIcon, Code, CopyButton, Group, Text, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy, IconDownload } from '@tabler/icons-react';
import { useMemo } from 'react';

import { saveText } from '../../ui/saveText';
import { useWords } from '../../words';
import type { Draft } from './recipe';
import { recipeText } from './recipeText';

interface Props {
  base: string;
  name: string;
  draft: Draft;
}

export function RecipeText({ base, name, draft }: Props) {
  const { runs, jobs } = useWords();
  const words = runs.form;
  const text = useMemo(() => recipeText({ base, name }, draft), [base, name, draft]);
  return (
    <section aria-label={words.asFile}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text fw={600}>{words.asFile}</Text>
        <Group gap={4} wrap="nowrap">
          <CopyButton value={text}>
            {({ copied, copy }) => (
              <Tooltip label={copied ? jobs.copied : jobs.copy}>
                <ActionIcon variant="subtle" onClick={copy} aria-label={`${jobs.copy}: ${words.asFile}`}>
                  {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
                </ActionIcon>
              </Tooltip>
            )}
          </CopyButton>
          <Tooltip label={words.saveFile}>
            <ActionIcon
              variant="subtle"
              onClick={() => saveText(text, `${name || 'recipe'}.yaml`, 'application/yaml')}
              aria-label={words.saveFile}
            >
              <IconDownload size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Group>
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        {words.asFileHint}
      </Text>
      <Code block tabIndex={0}>
        {text}
      </Code>
    </section>
  );
}
