/** One block of Markdown as elements: nothing of the text becomes markup, an address to load, or a script. */
import { IconPhoto } from '@tabler/icons-react';
import { Fragment, memo, useMemo, type ReactNode } from 'react';
import Markdown, { type Components, type Options } from 'react-markdown';
import remarkGfm from 'remark-gfm';

import { useWords, type Words } from '../words';
import classes from './Markdown.module.css';
import { MarkdownCode } from './MarkdownCode';
import { ALLOWED, codeOf, otherHost, settled, textOf, unseenShown } from './MarkdownElements';
import { useColours, useFormulas, type Formulas } from './MarkdownExtras';
import { marked, type Mark } from './MarkdownMarks';
import { isUnparsable, markFormulas } from './MarkdownSource';

const ADDRESS = /^(?:https?:\/\/|mailto:)/i;
const CODE_WITH_LANGUAGE = /^ {0,3}(?:`{3,}|~{3,})[ \t]*\w/m;
/** Highlighting works through the whole block at once. */
const LONGEST_COLOURED = 12_000;

export interface BlockProps {
  text: string;
  /** The text still grows: what is costly and would be thrown away with the next word is left out. */
  live: boolean;
  marks: readonly Mark[];
}

export const MarkdownBlock = memo(function MarkdownBlock({ text, live, marks }: BlockProps) {
  const { markdown } = useWords();
  const plain = useMemo(() => isUnparsable(text), [text]);
  const source = useMemo(() => (plain ? { text, formulas: false } : markFormulas(text)), [plain, text]);
  const formulas = useFormulas(source.formulas);
  const colours = useColours(
    !live && !plain && text.length <= LONGEST_COLOURED && CODE_WITH_LANGUAGE.test(text),
  );
  // The same functions for every state of the text, or React would build all of it anew with each word.
  const components = useMemo(() => componentsIn(markdown, formulas, marks), [markdown, formulas, marks]);
  return useMemo(() => {
    const unparsed = <PlainText text={text} marks={marks} />;
    if (plain) return unparsed;
    // A formula that is written otherwise moves all places behind it: then the marks stand at the end.
    const places = marks.map(({ at }) => (source.text === text ? at : Infinity));
    const options: Options = {
      children: source.text,
      remarkPlugins: [remarkGfm, ...(formulas ? [formulas.remark] : [])],
      rehypePlugins: [
        settled,
        ...(places.length ? [marked(places)] : []),
        ...(colours ? [colours.rehype] : []),
        unseenShown,
      ],
      remarkRehypeOptions: { footnoteLabel: markdown.footnotes },
      components,
      allowElement: (element) => ALLOWED.has(element.tagName),
      unwrapDisallowed: true,
      urlTransform: (address) => (ADDRESS.test(address) ? address : ''),
    };
    try {
      // Called, not mounted: it has no hooks, and what it throws is caught here without a word in the console.
      return Markdown(options);
    } catch {
      return unparsed;
    }
  }, [plain, text, marks, source, formulas, colours, components, markdown]);
});

/** Text as it is, with its marks where they belong. */
export function PlainText({ text, marks = [] }: { text: string; marks?: readonly Mark[] }) {
  const edges = [0, ...marks.map(({ at }) => Math.min(at, text.length)), text.length];
  return (
    <div className={classes.plain} dir="auto">
      {edges.slice(1).map((edge, index) => (
        <Fragment key={index}>
          {text.slice(edges[index], edge)}
          {marks[index]?.node}
        </Fragment>
      ))}
    </div>
  );
}

function componentsIn(
  words: Words['markdown'],
  formulas: Formulas | null,
  marks: readonly Mark[],
): Components {
  // Answers stand below the view's own two levels of headings, whatever they call theirs.
  const heading = (level: number) =>
    function Heading({ children }: { children?: ReactNode }) {
      return (
        <h3 data-level={level} dir="auto">
          {children}
        </h3>
      );
    };
  return {
    h1: heading(1),
    h2: heading(2),
    h3: heading(3),
    h4: heading(4),
    h5: heading(4),
    h6: heading(4),
    a: ({ node, href, children }) => {
      if (!href) return <span>{children}</span>;
      const host = otherHost(node, href);
      return (
        <>
          <Outward to={href}>{children}</Outward>
          {host && <span className={classes.host}> ({host})</span>}
        </>
      );
    },
    img: ({ node, src, alt }) => {
      const name = [words.image, alt].filter(Boolean).join(': ');
      const shown = (
        <>
          <IconPhoto size={14} aria-hidden /> {name}
        </>
      );
      const leads = typeof src === 'string' && src !== '' && !node?.properties['dataLinked'];
      return leads ? <Outward to={src}>{shown}</Outward> : <span>{shown}</span>;
    },
    input: ({ checked }) => (
      <span role="img" aria-label={checked ? words.done : words.open} className={classes.task}>
        {checked ? '☑' : '☐'}
      </span>
    ),
    table: ({ children }) => (
      <div className={classes.table} tabIndex={0} role="group" aria-label={words.table}>
        <table>{children}</table>
      </div>
    ),
    code: ({ node, className, children }) =>
      formulas && node && className?.includes('math-inline') ? (
        <formulas.Formula source={textOf(node)} display={false} />
      ) : (
        <code className={className}>{children}</code>
      ),
    pre: ({ node, children }) => {
      const { language, source, formula } = codeOf(node);
      if (formulas && formula) return <formulas.Formula source={source} display />;
      return (
        <MarkdownCode language={language} source={source}>
          {children}
        </MarkdownCode>
      );
    },
    span: ({ node, className, children }) =>
      typeof node?.properties['dataMark'] === 'number' ? (
        marks[node.properties['dataMark']]?.node
      ) : className === 'unseen' ? (
        <mark className={classes.unseen} title={words.unseen}>
          {children}
        </mark>
      ) : (
        <span className={className}>{children}</span>
      ),
  };
}

function Outward({ to, children }: { to: string; children?: ReactNode }) {
  return (
    <a href={to} target="_blank" rel="noopener noreferrer nofollow" title={to}>
      {children}
    </a>
  );
}
