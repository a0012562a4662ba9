/** Text from models and people, formatted: `<Markdown text={…} />`. Hostile text stays text (see the tests). */
import { useMemo } from 'react';

import classes from './Markdown.module.css';
import { MarkdownBlock } from './MarkdownBlock';
import { splitBlocks } from './MarkdownSource';

export function Markdown({ text, live = false }: { text: string; live?: boolean }) {
  const blocks = useMemo(() => splitBlocks(text, live), [text, live]);
  return (
    <div className={classes.markdown}>
      {blocks.map((block, index) => (
        <MarkdownBlock key={index} text={block} live={live && index === blocks.length - 1} />
      ))}
    </div>
  );
}
