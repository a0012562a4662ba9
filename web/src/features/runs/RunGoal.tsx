/** What the run was for, as it was written down before it. */
import { List, Text, Title } from '@mantine/core';

import type { Run } from '../../api/queries';
import { useWords } from '../../words';

export function RunGoal({ goal }: { goal: Run['recipe']['goal'] }) {
  const words = useWords().runs.goal;
  const prompts = goal?.prompts ?? [];
  if (!goal || (prompts.length === 0 && !goal.criteria)) return null;
  return (
    <section className="card">
      <Title order={2} size="h4" mb="md">
        {words.title}
      </Title>
      {goal.criteria && (
        <>
          <Text size="sm" c="dimmed">
            {words.criteria}
          </Text>
          <Text className="words" mb="md" style={{ whiteSpace: 'pre-wrap' }}>
            {goal.criteria}
          </Text>
        </>
      )}
      {prompts.length > 0 && (
        <>
          <Text size="sm" c="dimmed">
            {words.prompts}
          </Text>
          <List>
            {prompts.map((prompt, index) => (
              <List.Item key={index} className="words">
                {prompt}
              </List.Item>
            ))}
          </List>
        </>
      )}
    </section>
  );
}
