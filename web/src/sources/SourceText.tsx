/** A document's text as plain text, the passage marked and scrolled to; more of it loads on the way. */
import { Button } from '@mantine/core';
import { useEffect, useLayoutEffect, useRef, type ReactNode } from 'react';

import { hasStatus } from '../api/problem';
import { Loading } from '../ui/Loading';
import { ProblemAlert } from '../ui/ProblemAlert';
import { useWords } from '../words';
import { useFormat } from '../words/format';
import type { Block, Part } from './blocks';
import type { Place } from './sourced';
import classes from './sources.module.css';
import type { Source } from './useSource';

/** A passage stands so far below the upper edge, as a part of the height. */
const ABOVE = 0.25;

interface Props {
  place: Place;
  source: Source;
  /** Of the document's own headings, below those of what is around it. */
  level: number;
}

export function SourceText({ place, source, level }: Props) {
  const { rag } = useWords();
  const { document, blocks, earlier, later, loading } = source;
  const scroller = useRef<HTMLDivElement>(null);
  const passage = `${place.document} ${place.span?.start ?? ''} ${place.span?.end ?? ''}`;
  const shown = useRef('');
  const heightBefore = useRef(0);
  const firstAt = blocks[0]?.at;

  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const mark = box.querySelector('mark');
    if (shown.current !== passage && blocks.length > 0) {
      shown.current = passage;
      const top = mark ? mark.getBoundingClientRect().top - box.getBoundingClientRect().top : -box.scrollTop;
      box.scrollTop += mark ? top - box.clientHeight * ABOVE : top;
    } else if (heightBefore.current) {
      // What has come above pushes nothing down.
      box.scrollTop += box.scrollHeight - heightBefore.current;
    }
    heightBefore.current = 0;
  }, [passage, firstAt, blocks.length]);

  const loadEarlier = () => {
    heightBefore.current = scroller.current?.scrollHeight ?? 0;
    source.loadEarlier();
  };
  if (!document)
    return (
      <div className={classes.instead}>
        {source.error ? (
          <ProblemAlert
            error={source.error}
            again={hasStatus(source.error, 404) ? undefined : source.again}
          />
        ) : (
          <Loading rows={5} height={64} />
        )}
      </div>
    );
  return (
    <div ref={scroller} className={classes.text} tabIndex={0} role="region" aria-label={rag.source.text}>
      {earlier && <More label={rag.source.earlier} loading={loading} onMore={loadEarlier} by="hand" />}
      {document.characters === 0 && <p className={classes.nothing}>{rag.source.empty}</p>}
      {blocks.map((block) => (
        <BlockText key={block.at} block={block} level={level} />
      ))}
      {later && <More label={rag.source.later} loading={loading} onMore={source.loadLater} by="scrolling" />}
      {source.error && <ProblemAlert error={source.error} again={source.again} />}
    </div>
  );
}

function BlockText({ block, level }: { block: Block; level: number }) {
  const { rag } = useWords();
  const format = useFormat();
  if (block.kind === 'page')
    return (
      <p className={classes.page}>
        <span>{rag.source.page(format.count(block.page))}</span>
      </p>
    );
  if (block.kind === 'paragraph')
    return (
      <p className={classes.paragraph} dir="auto">
        {block.parts.map(partText)}
      </p>
    );
  return (
    <p className={classes.heading} data-level={block.level} dir="auto" role="heading" aria-level={level}>
      {block.parts.map(partText)}
    </p>
  );
}

const partText = ({ text, marked }: Part, index: number): ReactNode =>
  marked ? (
    <mark key={index} className={classes.passage}>
      {text}
    </mark>
  ) : (
    text
  );

interface MoreProps {
  label: string;
  loading: boolean;
  onMore: () => void;
  by: 'hand' | 'scrolling';
}

function More({ label, loading, onMore, by }: MoreProps) {
  const button = useRef<HTMLButtonElement>(null);
  const more = useRef(onMore);
  useEffect(() => {
    more.current = onMore;
  });
  useEffect(() => {
    if (by === 'hand' || !button.current || loading) return;
    const watcher = new IntersectionObserver(
      (seen) => seen.some(({ isIntersecting }) => isIntersecting) && more.current(),
      { rootMargin: '600px' },
    );
    watcher.observe(button.current);
    return () => watcher.disconnect();
  }, [by, loading]);
  return (
    <Button ref={button} variant="subtle" size="xs" fullWidth loading={loading} onClick={onMore} my="xs">
      {label}
    </Button>
  );
}
