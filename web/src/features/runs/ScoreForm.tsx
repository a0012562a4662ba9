/** Ask a variant what it was not trained on, at several settings; the scores that it has already. */
import { Chip, Group, Text } from '@mantine/core';
import { useState } from 'react';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { Evaluation } from './Evaluation';
import { ScoreTable } from './ScoreTable';

const GAINS = ['0', '0.25', '0.5', '0.75', '1', '1.25', '1.5'];
/** The variant as it is, and the board that is being turned. */
const [OWN, BOARD] = ['own', 'board'];
const MAX_TOKENS = 64;

interface Props {
  variant: string;
  board?: components['schemas']['Board'];
}

export function ScoreForm({ variant, board }: Props) {
  const words = useWords().runs.score;
  const format = useFormat();
  const [settings, setSettings] = useState(board ? ['0', BOARD] : ['0', '0.5', '1']);
  const choices = [
    ...GAINS.map((gain) => ({ value: gain, label: format.significant(Number(gain)) })),
    ...(board
      ? [
          { value: OWN, label: words.own },
          { value: BOARD, label: words.thisBoard },
        ]
      : []),
  ];
  return (
    <Evaluation
      kind="score"
      variant={variant}
      title={words.title}
      hint={words.hint}
      submit={words.submit}
      again={words.again}
      ready={settings.length > 0}
      onAsk={async (asked) =>
        body(
          await api.POST('/api/evaluation/scores', {
            body: {
              ...asked,
              variant,
              gains: choices
                .filter(({ value }) => settings.includes(value))
                .map(({ value }) => (value === BOARD ? board : value === OWN ? OWN : Number(value))),
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
        <Chip.Group multiple value={settings} onChange={setSettings}>
          <Group gap={6}>
            {choices.map(({ value, label }) => (
              <Chip key={value} value={value} size="sm" variant="outline">
                {label}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
      </fieldset>
    </Evaluation>
  );
}
