/** What stands in a row of the family tree beside its kind. */
import { Badge, Text, Tooltip } from '@mantine/core';
import { IconMessage, IconRoute } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { sizeOf, type Adapter, type Base, type Variant } from '../../api/queries';
import { CopyText } from '../../ui/CopyText';
import { ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './FamilyTree.module.css';
import { quantizationOf } from './lineage';
import { MemoryShare } from './MemoryNeed';

export function BaseRow({ base, name, usual }: { base: Base; name: string; usual: boolean }) {
  const { facts, memory } = useWords().models;
  const format = useFormat();
  const shown: [string, ReactNode][] = [
    [facts.parameters, base.parameters ? format.compact(base.parameters) : '–'],
    [facts.quantization, quantizationOf(base) ?? '–'],
    [facts.size, format.bytes(sizeOf(base))],
    [facts.context, facts.tokens(format.count(base.context_length))],
    [memory.title, <MemoryShare key="memory" name={name} />],
    [facts.license, base.license ?? facts.unknown],
    [
      facts.source,
      <span key="source" title={base.source}>
        {base.source}
      </span>,
    ],
    [facts.fingerprint, <CopyText key="id" text={base.id} label={facts.fingerprint} keep={8} />],
  ];
  return (
    <>
      <Name name={name} usual={usual} />
      <Talk name={name} />
      <dl className={classes.facts}>
        {shown.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd className="words figures">{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

export function AdapterRow({ adapter }: { adapter: Adapter }) {
  const { facts } = useWords().models;
  const format = useFormat();
  const shown = [
    facts.rankOf(format.count(adapter.rank)),
    format.bytes(sizeOf(adapter)),
    format.moment(adapter.created_at),
  ];
  return (
    <>
      <span className={`${classes.name ?? ''} words`}>{adapter.name}</span>
      <Text span size="sm" c="dimmed" className={`${classes.line ?? ''} figures`}>
        {shown.join(' · ')}
      </Text>
      {adapter.job_id && (
        <ButtonLink
          to="/runs/$runId"
          params={{ runId: adapter.job_id }}
          variant="subtle"
          size="compact-sm"
          leftSection={<IconRoute size={15} aria-hidden />}
          className={classes.act ?? ''}
          aria-label={`${facts.runShort}: ${adapter.name}`}
        >
          {facts.runShort}
        </ButtonLink>
      )}
    </>
  );
}

interface VariantProps {
  variant: Variant;
  /** Of the base's adapters, by id. */
  names: ReadonlyMap<string, string>;
  usual: boolean;
}

export function VariantRow({ variant, names, usual }: VariantProps) {
  const { models: words } = useWords();
  const format = useFormat();
  const gains = variant.adapters.map(({ adapter_id, gain, board }) => {
    const name = names.get(adapter_id) ?? '?';
    return board ? `${name}, ${words.onBoard}` : `${name} × ${format.decimal(gain ?? 1, 2)}`;
  });
  if (variant.base_board) gains.push(words.ownBoard);
  return (
    <>
      <Name name={variant.name} usual={usual} />
      <Text span size="sm" c="dimmed" className={`${classes.line ?? ''} words figures`}>
        {gains.join(' · ')}
      </Text>
      <Talk name={variant.name} />
    </>
  );
}

function Name({ name, usual }: { name: string; usual: boolean }) {
  const { models: words } = useWords();
  return (
    <span className={classes.naming}>
      <Link to="/models/$name" params={{ name }} className={`${classes.name ?? ''} words`}>
        {name}
      </Link>
      {usual && (
        <Tooltip label={words.usualHint}>
          <Badge variant="outline" size="sm">
            {words.usual}
          </Badge>
        </Tooltip>
      )}
    </span>
  );
}

function Talk({ name }: { name: string }) {
  const { models: words } = useWords();
  return (
    <ButtonLink
      to="/chat"
      search={{ variant: name }}
      variant="subtle"
      size="compact-sm"
      leftSection={<IconMessage size={15} aria-hidden />}
      className={classes.act ?? ''}
      aria-label={words.talkTo(name)}
    >
      {words.openChat}
    </ButtonLink>
  );
}
