/** An answer from documents: quoted or written, with the number of its source behind each sentence; or that the
 * documents do not hold it. */
import { Button, Group, Text } from '@mantine/core';
import { IconFileOff, IconSearch } from '@tabler/icons-react';
import { useMemo } from 'react';

import { ButtonLink } from '../ui/links';
import { Markdown } from '../ui/Markdown';
import { PlainText } from '../ui/MarkdownBlock';
import type { Mark } from '../ui/MarkdownMarks';
import { useWords } from '../words';
import { unwrapped } from './blocks';
import { CitationMark } from './CitationMark';
import classes from './cited.module.css';
import { unitsIn } from './places';
import { isAt, type Citation, type Place, type Sourced } from './sourced';
import { SourceList } from './SourceList';

interface Props {
  text: string;
  running: boolean;
  sourced: Sourced;
  /** As it was asked. */
  question: string;
  opened: Place | null;
  onOpen: (citation: Citation) => void;
  /** Puts the question to the model alone. */
  onAlone?: (() => void) | undefined;
}

export default function SourcedAnswer(props: Props) {
  const { rag } = useWords();
  const { text, running, sourced, question, opened, onOpen } = props;
  const { citations = NONE, sentences = NONE } = sourced;
  const marks = useMemo((): Mark[] => {
    const units = unitsIn(text);
    return sentences.flatMap(({ end, citations: mine }) =>
      mine.flatMap((index) => {
        const citation = citations[index];
        if (!citation) return [];
        const node = (
          <CitationMark
            key={index}
            number={index + 1}
            citation={citation}
            open={isAt(opened, citation)}
            onOpen={() => onOpen(citation)}
          />
        );
        return [{ at: units(end), node }];
      }),
    );
  }, [text, citations, sentences, opened, onOpen]);
  if (sourced.abstained) return <Abstained {...props} />;
  const unbacked = sentences.filter((one) => one.citations.length === 0).length;
  return (
    <>
      <SearchedFor searched={sourced.searched} question={question} />
      {sourced.mode === 'quote' ? (
        <blockquote className={classes.quote}>
          <PlainText text={unwrapped(text)} marks={marks} />
        </blockquote>
      ) : (
        <Markdown text={text} live={running} marks={marks} />
      )}
      {!running && sentences.length > 0 && unbacked > 0 && (
        <Text size="xs" c="dimmed" component="p" m={0}>
          {citations.length > 0 ? rag.cite.partly : rag.cite.nothing}
        </Text>
      )}
      {citations.length > 0 && (
        <SourceList citations={citations} quoted={sourced.mode === 'quote'} opened={opened} onOpen={onOpen} />
      )}
    </>
  );
}

const NONE: never[] = [];

function Abstained({ text, sourced, question, onAlone }: Props) {
  const { rag } = useWords();
  const { collection, searched } = sourced;
  return (
    <div className={classes.abstained}>
      <IconFileOff size={20} aria-hidden className={classes.sign ?? ''} />
      <div className={classes.what}>
        <Text component="p" m={0} fw={600} dir="auto">
          {text}
        </Text>
        <Text component="p" m={0} size="sm" className="words">
          {rag.abstained.hint(collection)}
        </Text>
        <SearchedFor searched={searched} question={question} />
        <Group gap="xs" mt="xs">
          <ButtonLink
            to="/documents/$collection/search"
            params={{ collection }}
            search={{ query: searched.slice(0, 1_000) }}
            size="xs"
            variant="default"
            leftSection={<IconSearch size={14} aria-hidden />}
          >
            {rag.abstained.search}
          </ButtonLink>
          {onAlone && (
            <Button size="xs" variant="default" onClick={onAlone}>
              {rag.abstained.alone}
            </Button>
          )}
        </Group>
      </div>
    </div>
  );
}

/** What the history has added to a question that does not stand by itself. */
function SearchedFor({ searched, question }: { searched: string; question: string }) {
  const { rag } = useWords();
  if (!searched || searched.trim() === question.trim()) return null;
  return (
    <Text size="xs" c="dimmed" component="p" m={0} className="words">
      <IconSearch size={13} aria-hidden className={classes.inline ?? ''} />{' '}
      {rag.cite.searched(searched.split(/\s*\n\s*/).join(' / '))}
    </Text>
  );
}
