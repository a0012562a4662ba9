/** Ask the finished variant what it was not trained on, at several gains; the scores that it has already. */
import { Chip, Group, Text } from '@mantine/core';
import { useState } from 'react';

import { api, body } from '../../api/client';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { Evaluation } from './Evaluation';
import { ScoreTable } from './ScoreTable';

const GAINS = ['0', '0.25', '0.5', '0.75', '1', '1.25', '1.5'];
const MAX_TOKENS = 64;

export function ScoreForm({ variant }: { variant: string }) {
  const words = useWords().runs.score;
  const format = useFormat();
  const [gains, setGains] = useState(['0', '0.5', '1']);
  return (
    <Evaluation
      kind="score"
      variant={variant}
      title={words.title}
      hint={words.hint}
      submit={words.submit}
      again={words.again}
      ready={gains.length > 0}
      onAsk={async (asked) =>
        body(
          await api.POST('/api/evaluation/scores', {
            body: {
              ...asked,
              variant,
              gains: gains.map(Number).sort((a, b) => a - b),
              max_tokens: MAX_TOKENS,
            },
          }),
        )
      }
      done={(job) => <ScoreTable result={job.result} />}
    >
      <fieldset className="plain">
        <Text component="legend" size="sm" fw={500} mb={6}>
          {words.gains}
        </Text>
        <Chip.Group multiple value={gains} onChange={setGains}>
          <Group gap={6}>
            {GAINS.map((gain) => (
              <Chip key={gain} value={gain} size="sm" variant="outline">
                {format.significant(Number(gain))}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
      </fieldset>
    </Evaluation>
  );
}
