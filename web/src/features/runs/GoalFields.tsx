/** What a run is for, written down before it: what will be asked of the result, and how its answers are judged. */
import { SimpleGrid, Text, Textarea } from '@mantine/core';

import { useWords } from '../../words';
import type { Draft } from './recipe';

interface Props {
  goal: Draft['goal'];
  onChange: (goal: NonNullable<Draft['goal']> | null) => void;
}

const MOST_PROMPTS = 20;

export function GoalFields({ goal, onChange }: Props) {
  const words = useWords().runs.goal;
  const prompts = goal?.prompts ?? [];
  const criteria = goal?.criteria ?? '';
  const set = (changed: { prompts?: string[]; criteria?: string }) => {
    const next = { prompts, criteria, ...changed };
    onChange(next.prompts.length > 0 || next.criteria ? next : null);
  };
  const asked = prompts.filter((prompt) => prompt.trim()).length;
  return (
    <fieldset className="plain">
      <Text component="legend" fw={600}>
        {words.title}
      </Text>
      <Text size="sm" c="dimmed" mb="sm">
        {words.hint}
      </Text>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Textarea
          label={words.prompts}
          description={words.promptsHint}
          autosize
          minRows={2}
          maxRows={8}
          value={prompts.join('\n')}
          onChange={(event) => {
            const text = event.currentTarget.value;
            set({ prompts: text ? text.split('\n') : [] });
          }}
          error={asked > MOST_PROMPTS && words.tooMany(String(MOST_PROMPTS))}
        />
        <Textarea
          label={words.criteria}
          description={words.criteriaHint}
          autosize
          minRows={2}
          maxRows={8}
          maxLength={4000}
          value={criteria}
          onChange={(event) => set({ criteria: event.currentTarget.value })}
        />
      </SimpleGrid>
    </fieldset>
  );
}
