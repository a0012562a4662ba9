/** How an answer from documents came about and how far it can be trusted, in a small line; the rest on demand. */
import { Popover, Text, UnstyledButton } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { Fragment } from 'react';

import { useWords } from '../words';
import { useFormat } from '../words/format';
import classes from './cited.module.css';
import { trustOf, type Sourced } from './sourced';

export default function SourcedLine({ sourced }: { sourced: Sourced }) {
  const { chat, rag } = useWords();
  const format = useFormat();
  const { mode, variant, collection, searched, confidence, abstained = false } = sourced;
  const trust = trustOf(confidence);
  const made = abstained ? null : mode === 'quote' ? rag.made.quoted : rag.made.written(variant ?? '');
  const parts = [
    made,
    abstained ? rag.made.abstained : rag.trust[trust],
    sourced.finish_reason === 'length' ? chat.by.length : null,
  ].filter((one) => one !== null);
  const facts = [
    [rag.made.how, mode === 'quote' ? rag.made.quotedHint : rag.made.writtenHint],
    [rag.made.variant, variant],
    [rag.made.collection, collection],
    [rag.made.searched, searched],
    [rag.made.confidence, `${format.count(Math.round(confidence * 100))} %`],
  ] as const;
  return (
    <Popover position="top-start" shadow="md" withinPortal trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={classes.line ?? ''} aria-label={[rag.made.details, ...parts].join(', ')}>
          {!abstained && <span className={classes.trust} data-trust={trust} aria-hidden />}
          <span>{parts.join(' · ')}</span>
          <IconInfoCircle size={14} aria-hidden />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown maw="min(26rem, 92vw)" aria-label={rag.made.details} tabIndex={-1}>
        <dl className={classes.facts}>
          {facts.map(
            ([name, value]) =>
              value && (
                <Fragment key={name}>
                  <dt>{name}</dt>
                  <dd className="words">{value}</dd>
                </Fragment>
              ),
          )}
        </dl>
        <Text size="xs" c="dimmed" mt="xs">
          {rag.made.confidenceHint}
        </Text>
      </Popover.Dropdown>
    </Popover>
  );
}
