/** Formulas by KaTeX, from text that nobody has checked. */
import 'katex/dist/katex.min.css';

import { memo, type ReactNode } from 'react';
import Markdown, { type Options } from 'react-markdown';
import rehypeKatex from 'rehype-katex';
import remarkMath from 'remark-math';

import { ALLOWED, type ElementContent } from './MarkdownElements';
import type { Formulas } from './MarkdownExtras';

const DEFINES = /\\(?:[egx]?def|(?:re)?newcommand|providecommand|let|futurelet)(?![a-zA-Z])/;
/** Letters that macros of the text's own making may grow to: what KaTeX draws in some milliseconds. */
const MOST_EXPANDED = 4_000;
const KEPT = 400;

const drawn = new Map<string, ReactNode>();

/** Drawn once: while an answer grows its formulas are not set again with each word. */
const Formula = memo(function Formula({ source, display }: { source: string; display: boolean }) {
  const key = `${display ? 'display' : 'inline'} ${source}`;
  const known = drawn.get(key);
  if (known !== undefined) return known;
  const fresh = draw(source, display);
  if (drawn.size >= KEPT) drawn.clear();
  drawn.set(key, fresh);
  return fresh;
});

function draw(source: string, display: boolean): ReactNode {
  const code: ElementContent = {
    type: 'element',
    tagName: 'code',
    properties: { className: [display ? 'math-display' : 'math-inline'] },
    children: [{ type: 'text', value: source }],
  };
  const formula = () => (tree: { children: unknown[] }) => void (tree.children = [code]);
  const options: Options = {
    rehypePlugins: [formula, [rehypeKatex, settingsFor(source)]],
    allowElement: (element) => ALLOWED.has(element.tagName),
    unwrapDisallowed: true,
    components: {
      // It scrolls sideways, so the keyboard must be able to reach it.
      span: ({ node: _, ...rest }) => (
        <span {...rest} {...(rest.className === 'katex-display' ? { tabIndex: 0 } : {})} />
      ),
    },
  };
  return Markdown(options);
}

function settingsFor(source: string) {
  return {
    // No links, no images, no classes or attributes of the text's own making.
    trust: false,
    // A macro that calls itself, and a rule of a million em, end here.
    maxExpand: DEFINES.test(source) ? Math.floor(MOST_EXPANDED / source.length) : 1_000,
    maxSize: 20,
    strict: 'ignore' as const,
    errorColor: 'currentColor',
  };
}

export const formulas: Formulas = { remark: remarkMath, Formula };
