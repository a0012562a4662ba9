/** How much memory a model takes while it answers, against what the studio may use. */
import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './MemoryNeed.module.css';
import { detailsQuery, memoryOf, MIB, verdictOf, type Memory } from './queries';

/** In a list: the two numbers. */
export function MemoryShare({ name }: { name: string }) {
  const { memory: words } = useWords().models;
  const format = useFormat();
  const { data, isPending } = useQuery({ ...detailsQuery(name), staleTime: 60_000 });
  if (isPending) return <span aria-busy="true">…</span>;
  const memory = data && memoryOf(data);
  if (!memory) return <span>–</span>;
  return (
    <span className={classes.share} data-verdict={verdictOf(memory)}>
      {words.of(format.bytes(memory.needed_mib * MIB), format.bytes(memory.budget_mib * MIB))}
    </span>
  );
}

/** On the model's own page: as a bar, with what it means. */
export function MemoryNeed({ memory }: { memory: Memory }) {
  const { memory: words } = useWords().models;
  const format = useFormat();
  const verdict = verdictOf(memory);
  const share = Math.min(1, memory.needed_mib / Math.max(1, memory.budget_mib));
  return (
    <section className="card">
      <div className={classes.line}>
        <Text fw={600}>{words.title}</Text>
        <Text size="sm" className={classes.share ?? ''} data-verdict={verdict}>
          {words[verdict]}
        </Text>
      </div>
      <div className={classes.bar} aria-hidden>
        <div style={{ inlineSize: `${Math.max(1, share * 100)}%` }} data-verdict={verdict} />
      </div>
      <Text size="sm" c="dimmed" className="figures">
        {words.needs(
          format.bytes(memory.needed_mib * MIB),
          format.bytes(memory.budget_mib * MIB),
          format.bytes(memory.total_mib * MIB),
        )}
      </Text>
    </section>
  );
}
