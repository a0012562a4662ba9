/** The two bases that one starts with: the small English one, and the Korean one. */
import { Badge, Button, SimpleGrid, Stack, Text } from '@mantine/core';
import { IconCheck, IconDownload } from '@tabler/icons-react';

import type { BaseEntry } from '../../api/queries';
import { useWords } from '../../words';
import classes from './Suggested.module.css';
import { MIDM, STARTER } from './sources';

interface Props {
  models: readonly BaseEntry[];
  /** Sources that are being fetched. */
  fetching: readonly string[];
  onFetch: (source: string) => void;
  pending: boolean;
}

export function Suggested({ models, fetching, onFetch, pending }: Props) {
  const { pull: words } = useWords().models;
  const isHere = (source: string) =>
    models.some(({ base }) => base.source === source || base.source.startsWith(`${source}@`));
  return (
    <div>
      <Text fw={600} size="sm" mb="xs">
        {words.suggested}
      </Text>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        {[['starter', STARTER] as const, ['midm', MIDM] as const].map(([key, source]) => {
          const { name, hint, facts } = words[key];
          return (
            <Stack key={key} gap={4} className={classes.card ?? ''}>
              <Text fw={600}>{name}</Text>
              <Text size="sm" c="dimmed">
                {hint}
              </Text>
              <div className={classes.foot}>
                <Text size="sm" className="figures">
                  {facts}
                </Text>
                {isHere(source) ? (
                  <Badge
                    className="state-succeeded"
                    variant="light"
                    color="teal"
                    leftSection={<IconCheck size={12} aria-hidden />}
                  >
                    {words.here}
                  </Badge>
                ) : (
                  <Button
                    size="xs"
                    variant={models.length === 0 && key === 'starter' ? 'filled' : 'default'}
                    leftSection={<IconDownload size={15} aria-hidden />}
                    aria-label={`${fetching.includes(source) ? words.running : words.start}: ${name}`}
                    disabled={pending || fetching.includes(source)}
                    onClick={() => onFetch(source)}
                  >
                    {fetching.includes(source) ? words.running : words.start}
                  </Button>
                )}
              </div>
            </Stack>
          );
        })}
      </SimpleGrid>
    </div>
  );
}
