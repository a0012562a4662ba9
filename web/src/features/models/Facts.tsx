/** What a base and an adapter are, as pairs of name and value. */
import { Code, Group, Title } from '@mantine/core';
import type { ReactNode } from 'react';

import { sizeOf, type Adapter, type Base } from '../../api/queries';
import { CopyText } from '../../ui/CopyText';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './Facts.module.css';
import { quantizationOf } from './lineage';
import { groupsOf, labelOf } from './modules';

interface Props {
  title: ReactNode;
  facts: readonly (readonly [string, ReactNode])[];
}

function Facts({ title, facts }: Props) {
  return (
    <section className="card">
      <Title order={2} size="h4" mb="md" className="words">
        {title}
      </Title>
      <dl className={classes.facts}>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="words figures">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface BaseFactsProps {
  base: Base;
  /** Of its adapters' board. */
  columns: readonly string[];
  title: ReactNode;
}

export function BaseFacts({ base, columns, title }: BaseFactsProps) {
  const { facts, foundations } = useWords().models;
  const format = useFormat();
  const families: Record<string, string> = foundations;
  const weights = [base.format, quantizationOf(base)].filter((part) => part !== null).join(' · ');
  return (
    <Facts
      title={title}
      facts={[
        [facts.foundation, families[base.family] ?? base.family],
        [facts.architecture, base.architecture],
        [facts.parameters, base.parameters ? format.count(base.parameters) : facts.unknown],
        [facts.context, facts.tokens(format.count(base.context_length))],
        [facts.weights, weights],
        [facts.size, format.bytes(sizeOf(base))],
        [facts.license, base.license ?? facts.unknown],
        [facts.template, base.details?.['has_chat_template'] === true ? facts.templateYes : facts.templateNo],
        [facts.columns, columns.length ? <Codes key="columns" codes={columns} /> : facts.columnsNone],
        [facts.source, base.source],
        [facts.fingerprint, <CopyText key="id" text={base.id} label={facts.fingerprint} />],
        [facts.added, format.moment(base.created_at)],
      ]}
    />
  );
}

export function AdapterFacts({ adapter, gain }: { adapter: Adapter; gain: string }) {
  const { models: words } = useWords();
  const { facts } = words;
  const format = useFormat();
  return (
    <Facts
      title={`${words.kinds.adapter}: ${adapter.name}`}
      facts={[
        [words.gain, gain],
        [facts.rank, format.count(adapter.rank)],
        [facts.alpha, format.count(adapter.alpha)],
        [facts.size, format.bytes(sizeOf(adapter))],
        [facts.modules, <Codes key="modules" codes={groupsOf(adapter.target_modules).map(labelOf)} />],
        [facts.data, <CopyText key="data" text={adapter.data_fingerprint} label={facts.data} />],
        [
          facts.run,
          adapter.job_id ? (
            <AnchorLink key="run" to="/runs/$runId" params={{ runId: adapter.job_id }}>
              {adapter.name}
            </AnchorLink>
          ) : (
            facts.unknown
          ),
        ],
        [facts.added, format.moment(adapter.created_at)],
      ]}
    />
  );
}

function Codes({ codes }: { codes: readonly string[] }) {
  return (
    <Group gap={4} component="span">
      {codes.map((code) => (
        <Code key={code}>{code}</Code>
      ))}
    </Group>
  );
}
