/** Where in its document a passage stands, in a line. */
import { useWords } from '../words';
import { useFormat } from '../words/format';
import { BETWEEN } from './sourced';
import classes from './sources.module.css';

interface Props {
  page: number | null;
  /** The headings above, from the outermost. */
  path: readonly string[];
  source?: string;
}

export function SourceFacts({ page, path, source }: Props) {
  const { rag } = useWords();
  const format = useFormat();
  const facts = [
    page !== null && rag.source.page(format.count(page)),
    path.length > 0 && path.join(BETWEEN),
    source,
  ].filter((fact) => typeof fact === 'string');
  if (facts.length === 0) return null;
  return (
    <span className={`${classes.facts ?? ''} words`}>
      {facts.map((fact, index) => (
        <span key={index} dir="auto">
          {fact}
        </span>
      ))}
    </span>
  );
}
