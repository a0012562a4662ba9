/** One block of Markdown as elements: nothing of the text becomes markup, an address to load, or a script. */
import { IconPhoto } from '@tabler/icons-react';
import { memo, useMemo, type ReactNode } from 'react';
import Markdown, { type Components, type ExtraProps, type Options } from 'react-markdown';
import remarkGfm from 'remark-gfm';

import { useWords, type Words } from '../words';
import classes from './Markdown.module.css';
import { MarkdownCode } from './MarkdownCode';
import { useColours, useFormulas } from './MarkdownExtras';
import { isUnparsable, markFormulas } from './MarkdownSource';

type Element = NonNullable<ExtraProps['node']>;
type ElementContent = Element['children'][number];

const ADDRESS = /^(?:https?:\/\/|mailto:)/i;
const CODE_WITH_LANGUAGE = /^ {0,3}(?:`{3,}|~{3,})[ \t]*\w/m;
/** Highlighting works through the whole block at once. */
const LONGEST_COLOURED = 12_000;

const TEXT = 'p h1 h2 h3 h4 h5 h6 a em strong del code pre blockquote ul ol li hr br img input sup section';
const TABLE = 'table thead tbody tr th td';
const FORMULA =
  'span svg path line math semantics annotation mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle msup msub' +
  ' msubsup munder mover munderover mtable mtr mtd mlabeledtr mpadded mphantom menclose mglyph merror';
const ALLOWED = new Set(`${TEXT} ${TABLE} ${FORMULA}`.split(' '));
const DIRECTED = new Set('p h1 h2 h3 h4 h5 h6 li td th blockquote ul ol'.split(' '));

export interface BlockProps {
  text: string;
  /** The text still grows: what is costly and would be thrown away with the next word is left out. */
  live: boolean;
}

export const MarkdownBlock = memo(function MarkdownBlock({ text, live }: BlockProps) {
  const { markdown } = useWords();
  const plain = isUnparsable(text);
  const source = useMemo(() => (plain ? { text, formulas: false } : markFormulas(text)), [plain, text]);
  const formulas = useFormulas(source.formulas);
  const colours = useColours(
    !live && !plain && text.length <= LONGEST_COLOURED && CODE_WITH_LANGUAGE.test(text),
  );
  // The same functions for every state of the text, or React would build all of it anew with each word.
  const components = useMemo(() => componentsIn(markdown), [markdown]);
  return useMemo(() => {
    if (plain) return <PlainText text={text} />;
    const options: Options = {
      children: source.text,
      remarkPlugins: [remarkGfm, ...(formulas?.remark ?? [])],
      rehypePlugins: [directed, ...(formulas?.rehype ?? []), ...(colours?.rehype ?? [])],
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
      return <PlainText text={text} />;
    }
  }, [plain, text, source, formulas, colours, components, markdown]);
});

export function PlainText({ text }: { text: string }) {
  return (
    <div className={classes.plain} dir="auto">
      {text}
    </div>
  );
}

/** Each paragraph runs in the direction of its own first letter; ids of a text's own making go. */
function directed() {
  return (tree: { children: unknown[] }) => {
    const open = [...tree.children] as ElementContent[];
    for (let node = open.pop(); node; node = open.pop()) {
      if (node.type !== 'element') continue;
      delete node.properties['id'];
      if (DIRECTED.has(node.tagName)) node.properties['dir'] = 'auto';
      for (const child of node.children) open.push(child);
    }
  };
}

function textOf(node: ElementContent): string {
  if (node.type === 'text') return node.value;
  return node.type === 'element' ? node.children.map(textOf).join('') : '';
}

function codeOf(pre: Element | undefined): { language: string; source: string } {
  const code = pre?.children.find((child) => child.type === 'element');
  const names = code?.properties['className'];
  const name = Array.isArray(names)
    ? names.map(String).find((one) => one.startsWith('language-'))
    : undefined;
  return {
    language: name?.slice('language-'.length) ?? '',
    source: pre ? textOf(pre).replace(/\n$/, '') : '',
  };
}

function componentsIn(words: Words['markdown']): Components {
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
    a: ({ href, children }) => (href ? <Outward to={href}>{children}</Outward> : <span>{children}</span>),
    img: ({ src, alt }) => {
      const name = [words.image, alt].filter(Boolean).join(': ');
      const shown = (
        <>
          <IconPhoto size={14} aria-hidden /> {name}
        </>
      );
      return typeof src === 'string' && src ? <Outward to={src}>{shown}</Outward> : <span>{shown}</span>;
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
    pre: ({ node, children }) => <MarkdownCode {...codeOf(node)}>{children}</MarkdownCode>,
    span: ({ node, ...rest }) => {
      void node;
      const wide = rest.className === 'katex-display';
      return <span {...rest} {...(wide ? { tabIndex: 0 } : {})} />;
    },
  };
}

function Outward({ to, children }: { to: string; children?: ReactNode }) {
  return (
    <a href={to} target="_blank" rel="noopener noreferrer nofollow" title={to}>
      {children}
    </a>
  );
}
