/** The number of a source behind the sentence that rests on it: opens the source at the passage. */
import { useWords } from '../words';
import type { Citation } from './sourced';
import classes from './cited.module.css';

interface Props {
  number: number;
  citation: Citation;
  open: boolean;
  onOpen: () => void;
}

export function CitationMark({ number, citation, open, onOpen }: Props) {
  const { rag } = useWords();
  const title = citation.title || citation.source;
  return (
    <button
      type="button"
      className={classes.mark}
      data-open={open || undefined}
      aria-expanded={open}
      aria-label={rag.cite.mark(number, title)}
      title={title}
      onClick={onOpen}
    >
      {number}
    </button>
  );
}
