/** What a search has found, with the words that it looked for. */
import { Alert, Button, Group, Text, Title, Tooltip } from '@mantine/core';
import { IconMessage, IconSearch, IconSearchOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';

import { EmptyState } from '../../ui/EmptyState';
import { ButtonLink } from '../../ui/links';
import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { trustOf } from '../../sources/sourced';
import type { Asked } from './asked';
import { Finding } from './Finding';
import { searchQuery, type Passages } from './queries';
import classes from './rag.module.css';
import { tellingTerms, wordsOf } from './terms';

const FIRST = 10;
const STEP = 20;
const MOST = 100;

export function Findings({ collection, asked }: { collection: string; asked: Asked }) {
  const { search, trust } = useWords().rag;
  const format = useFormat();
  const [k, setK] = useState(FIRST);
  const { data, error, isFetching, refetch } = useQuery(searchQuery(collection, asked, k));
  const telling = useMemo(() => (data ? tellingTerms(data.terms, data.rarities) : []), [data]);
  const marked = useMemo(() => wordsOf(telling, data?.forms ?? {}), [telling, data]);
  const { query } = asked;
  if (query === undefined)
    return <EmptyState icon={<IconSearch size={28} />} title={search.startTitle} hint={search.startHint} />;
  if (error) return <ProblemAlert error={error} again={() => void refetch()} pending={isFetching} />;
  if (!data) return <Loading rows={4} height={120} />;
  const { passages } = data;
  if (passages.length === 0)
    return <EmptyState icon={<IconSearchOff size={28} />} title={search.noneTitle} hint={search.noneHint} />;
  return (
    <section aria-labelledby="findings">
      <Group justify="space-between" align="flex-end" gap="sm" mb="sm">
        <div>
          <Title order={2} size="h4" id="findings" className="figures">
            <span role="status">{search.found(format.count(passages.length))}</span>
          </Title>
          <Text size="sm" c="dimmed" className={classes.sentence ?? ''}>
            {trust[trustOf(data.confidence)]}
          </Text>
        </div>
        <ButtonLink
          to="/chat"
          search={{ documents: collection }}
          size="xs"
          variant="default"
          leftSection={<IconMessage size={14} aria-hidden />}
        >
          {search.ask}
        </ButtonLink>
      </Group>
      <LookedFor found={data} telling={telling} dense={asked.legs === 'dense'} />
      <Alert variant="light" color="gray" p="xs" mb="md" className={classes.explain ?? ''}>
        {search.explain}
      </Alert>
      <ol className={classes.findings}>
        {passages.map((passage, index) => (
          <Finding
            key={passage.chunk_id}
            passage={passage}
            place={index + 1}
            marked={marked}
            legs={asked.legs ?? 'both'}
            collection={collection}
          />
        ))}
      </ol>
      {passages.length === k && k < MOST && (
        <Button variant="default" onClick={() => setK(Math.min(MOST, k + STEP))} loading={isFetching} mt="md">
          {search.more}
        </Button>
      )}
    </section>
  );
}

interface LookedForProps {
  found: Passages;
  telling: readonly string[];
  dense: boolean;
}

function LookedFor({ found: { terms, rarities, leg }, telling, dense }: LookedForProps) {
  const { search } = useWords().rag;
  if (dense)
    return (
      <Text size="sm" c="dimmed" mb="sm">
        {search.nothingLookedFor}
      </Text>
    );
  const all = [...new Set(terms)].slice(0, 60);
  return (
    <div className={classes.lookedFor}>
      <Text size="sm" c="dimmed" component="span" id="looked-for">
        {search.lookedFor} ({search[leg]})
      </Text>
      <ul className={classes.terms} aria-labelledby="looked-for">
        {all.map((term) => {
          const hint = telling.includes(term) ? null : rarities[term] ? search.common : search.unknown;
          return (
            <li key={term}>
              <Tooltip label={hint} disabled={hint === null}>
                <span className={classes.term} data-faint={hint !== null || undefined} dir="auto">
                  {term}
                </span>
              </Tooltip>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
