/** Parts for training, tuning and proof: each becomes a set of its own. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { IconArrowsSplit2 } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';

import { isOver } from '../../api/queries';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './DataSet.module.css';
import { NumberField } from './NumberField';
import { Outcome } from './Outcome';
import { Part } from './Part';
import { startSplit, useLatest, useStart, type DataSetEntry } from './queries';
import { PARTS, partsOf, sharesFault, sumOf, USUAL_SHARES } from './shaping';

export function SplitPart({ set }: { set: DataSetEntry }) {
  const { split: words } = useWords().data;
  const format = useFormat();
  const job = useLatest(set.id, 'split');
  const [shares, setShares] = useState(USUAL_SHARES);
  const [seed, setSeed] = useState<number | undefined>(0);
  const start = useStart(() => startSplit(set.id, { parts: partsOf(shares), seed: seed ?? 0 }));
  const fault = sharesFault(shares);
  const busy = job !== undefined && !isOver(job.state);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate(undefined);
  };
  return (
    <Part id="split" title={words.title} lead={words.lead}>
      <Stack mt="sm">
        {job && <Outcome job={job} title={words.result} />}
        {!busy && (
          <form onSubmit={submit}>
            <Stack>
              <div className={classes.fields}>
                {PARTS.map((part) => (
                  <NumberField
                    key={part}
                    label={words.share(words.parts[part])}
                    description={words.hints[part]}
                    allowDecimal
                    min={0}
                    max={100}
                    value={shares[part]}
                    onChange={(share) => setShares({ ...shares, [part]: share })}
                  />
                ))}
                <NumberField
                  label={words.seed}
                  description={words.seedHint}
                  min={0}
                  max={2 ** 32 - 1}
                  value={seed}
                  onChange={setSeed}
                />
              </div>
              {fault && (
                <Text size="sm" role="alert" c="var(--mantine-color-error)">
                  {fault === 'sum' ? words.sum(format.significant(sumOf(shares))) : words.positive}
                </Text>
              )}
              {start.error && <ProblemAlert error={start.error} />}
              <Group>
                <Button
                  type="submit"
                  variant="default"
                  leftSection={<IconArrowsSplit2 size={18} aria-hidden />}
                  loading={start.isPending}
                  disabled={fault !== null}
                >
                  {words.submit}
                </Button>
              </Group>
            </Stack>
          </form>
        )}
      </Stack>
    </Part>
  );
}
