/** Text from models and people, formatted: `<Markdown text={…} />`. Hostile text stays text (see the tests). */
import { useMemo } from 'react';

import classes from './Markdown.module.css';
import { MarkdownBlock } from './MarkdownBlock';
import type { Mark } from './MarkdownMarks';
import { splitBlocks } from './MarkdownSource';

interface Props {
  text: string;
  live?: boolean;
  /** In the order of their places. */
  marks?: readonly Mark[];
}

export function Markdown({ text, live = false, marks = NONE }: Props) {
  const blocks = useMemo(() => splitBlocks(text, live), [text, live]);
  const marksOf = useMemo(() => marksIn(blocks, marks), [blocks, marks]);
  return (
    <div className={classes.markdown}>
      {blocks.map((block, index) => (
        <MarkdownBlock
          key={index}
          text={block}
          live={live && index === blocks.length - 1}
          marks={marksOf[index] ?? NONE}
        />
      ))}
    </div>
  );
}

const NONE: readonly Mark[] = [];

/** The marks of each block, by their places in it. */
function marksIn(blocks: readonly string[], marks: readonly Mark[]): (readonly Mark[])[] {
  let start = 0;
  return blocks.map((block) => {
    const [from, to] = [start, start + block.length];
    start = to;
    const mine = marks.filter(({ at }) => at > from && at <= to);
    return mine.length ? mine.map((mark) => ({ ...mark, at: mark.at - from })) : NONE;
  });
}
