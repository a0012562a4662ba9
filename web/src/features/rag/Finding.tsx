/** One passage, and why it came: its place by meaning, by words, and both together. */
import { Button, Text } from '@mantine/core';
import { useMemo, useState } from 'react';

import { BETWEEN, withoutTitle } from '../../sources/sourced';
import { SourceFacts } from '../../sources/SourceFacts';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Legs } from './asked';
import type { Passage } from './queries';
import classes from './rag.module.css';
import { markTerms } from './terms';

interface Props {
  passage: Passage;
  place: number;
  marked: readonly string[];
  legs: Legs;
  collection: string;
}

/** A passage that is longer is shown in part. */
const SHOWN = 480;

export function Finding({ passage, place, marked, legs, collection }: Props) {
  const { search } = useWords().rag;
  const format = useFormat();
  const [whole, setWhole] = useState(false);
  const { text, title, source, page, heading, document_id, start, stop, also_in } = passage;
  const long = text.length > SHOWN * 1.3;
  const parts = useMemo(() => {
    const all = markTerms(text, marked);
    if (!long || whole) return all;
    // From the first marked word on, with some of what stands before it.
    const at = all.findIndex((part) => part.marked);
    const before = all.slice(0, Math.max(0, at)).reduce((sum, part) => sum + part.text.length, 0);
    const from = Math.max(0, Math.min(before - SHOWN / 3, text.length - SHOWN));
    return cut(all, from, from + SHOWN);
  }, [text, marked, long, whole]);
  return (
    <li className="card">
      <div className={classes.finding}>
        <div className={classes.passage}>
          <AnchorLink
            to="/documents/$collection/$document"
            params={{ collection, document: document_id }}
            search={{ start, end: stop }}
            fw={600}
            className="words"
          >
            {title || source}
          </AnchorLink>
          <SourceFacts page={page} path={withoutTitle(heading.split(BETWEEN), title)} source={source} />
          <p className={classes.words} dir="auto">
            {parts.map((part, index) =>
              part.marked ? (
                <mark key={index} className={classes.found}>
                  {part.text}
                </mark>
              ) : (
                part.text
              ),
            )}
          </p>
          {long && (
            <Button
              variant="subtle"
              size="compact-xs"
              onClick={() => setWhole(!whole)}
              aria-expanded={whole}
              className={classes.longer ?? ''}
            >
              {whole ? search.shorter : search.longer}
            </Button>
          )}
          {also_in.length > 0 && (
            <Text size="xs" c="dimmed" className="words">
              {search.alsoIn(also_in.join(', '))}
            </Text>
          )}
        </div>
        <dl className={classes.why} aria-label={search.why}>
          <Reason
            name={search.byMeaning}
            rank={passage.dense_rank}
            score={passage.dense_score}
            told={(score) => search.cosine(format.decimal(score, 3))}
            searched={legs !== 'lexical'}
          />
          <Reason
            name={search.byWords}
            rank={passage.lexical_rank}
            score={passage.lexical_score}
            told={(score) => search.bm25(format.decimal(score, 2))}
            searched={legs !== 'dense'}
          />
          <Reason
            name={search.together}
            rank={place}
            score={passage.match ?? passage.score}
            told={(score) =>
              passage.match == null
                ? search.fused(format.decimal(score, 2))
                : search.match(format.decimal(score, 3))
            }
            searched
          />
        </dl>
      </div>
    </li>
  );
}

interface ReasonProps {
  name: string;
  rank: number | null | undefined;
  score: number | null | undefined;
  told: (score: number) => string;
  searched: boolean;
}

function Reason({ name, rank, score, told, searched }: ReasonProps) {
  const { search } = useWords().rag;
  const format = useFormat();
  const known = searched && rank != null;
  return (
    <div className={classes.reason} data-none={!known || undefined}>
      <dt>{name}</dt>
      <dd className="figures">
        {known ? search.place(format.count(rank)) : searched ? search.notAmong : search.notSearched}
        {known && score != null && <span className={classes.score}>{told(score)}</span>}
      </dd>
    </div>
  );
}

type Parts = ReturnType<typeof markTerms>;

function cut(parts: Parts, from: number, to: number): Parts {
  let at = 0;
  const kept = parts.flatMap(({ text, marked }) => {
    const piece = text.slice(Math.max(0, from - at), Math.max(0, to - at));
    at += text.length;
    return piece ? [{ text: piece, marked }] : [];
  });
  const dots = { text: '…', marked: false };
  return [...(from > 0 ? [dots] : []), ...kept, ...(to < at ? [dots] : [])];
}
