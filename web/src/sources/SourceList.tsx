/** What an answer rests on, numbered as in the answer: press one to read it where it stands. */
import { Text, UnstyledButton } from '@mantine/core';

import { useWords } from '../words';
import classes from './cited.module.css';
import { BETWEEN, isAt, withoutTitle, type Citation, type Place } from './sourced';
import { SourceFacts } from './SourceFacts';

interface Props {
  citations: readonly Citation[];
  /** Whether the answer is their words already. */
  quoted: boolean;
  opened: Place | null;
  onOpen: (citation: Citation) => void;
}

export function SourceList({ citations, quoted, opened, onOpen }: Props) {
  const { rag } = useWords();
  return (
    <section aria-label={rag.cite.sources} className={classes.sources}>
      <Text component="h4" size="xs" fw={600} c="dimmed" mb={4}>
        {rag.cite.sources}
      </Text>
      <ol className={classes.list}>
        {citations.map((citation, index) => {
          const { title, source, page, heading, text } = citation;
          const open = isAt(opened, citation);
          return (
            <li key={index}>
              <UnstyledButton
                className={classes.source ?? ''}
                data-open={open || undefined}
                aria-expanded={open}
                onClick={() => onOpen(citation)}
              >
                <span className={classes.number} aria-hidden>
                  {index + 1}
                </span>
                <span className={classes.what}>
                  <span className={`${classes.title ?? ''} words`} dir="auto">
                    {title || source}
                  </span>
                  <SourceFacts
                    page={page}
                    path={withoutTitle(heading.split(BETWEEN), title)}
                    source={source}
                  />
                  {!quoted && (
                    <span className={classes.excerpt} dir="auto">
                      {text}
                    </span>
                  )}
                </span>
              </UnstyledButton>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
