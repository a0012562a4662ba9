/** Many files as lines, a few at first; what is wrong with one stands below its name. */
import { Button } from '@mantine/core';
import { useState } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './FileLines.module.css';

export interface FileLine {
  name: string;
  fact?: string;
  fault?: string;
  /** What helps against it. */
  remedy?: string;
}

const FEW = 8;

export function FileLines({ label, lines }: { label: string; lines: readonly FileLine[] }) {
  const { upload: words } = useWords().documents;
  const format = useFormat();
  const [whole, setWhole] = useState(false);
  if (lines.length === 0) return null;
  // Nobody reads thousands of lines, and a browser draws them slowly.
  const shown = lines.slice(0, whole ? 500 : FEW);
  const rest = lines.length - shown.length;
  return (
    <div>
      <ul className={classes.lines} aria-label={label}>
        {shown.map(({ name, fact, fault, remedy }, place) => (
          <li key={`${place} ${name}`}>
            <span className={`${classes.name ?? ''} words`}>{name}</span>
            {fact && <span className={`${classes.fact ?? ''} figures`}>{fact}</span>}
            {fault && <span className={`${classes.fault ?? ''} words`}>{fault}</span>}
            {remedy && <span className={`${classes.remedy ?? ''} words`}>{remedy}</span>}
          </li>
        ))}
      </ul>
      {rest > 0 && (
        <Button size="compact-sm" variant="subtle" mt={4} disabled={whole} onClick={() => setWhole(true)}>
          {words.more(format.count(rest))}
        </Button>
      )}
    </div>
  );
}
