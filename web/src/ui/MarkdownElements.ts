/** What becomes of Markdown's elements before they are drawn: which there may be, and what they may carry. */
import type { ExtraProps } from 'react-markdown';

export type Element = NonNullable<ExtraProps['node']>;
export type ElementContent = Element['children'][number];
interface Tree {
  children: unknown[];
}

const TEXT = 'p h1 h2 h3 h4 h5 h6 a em strong del code pre blockquote ul ol li hr br img input sup section';
const TABLE = 'table thead tbody tr th td';
const FORMULA =
  'span svg path line math semantics annotation mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle msup msub' +
  ' msubsup munder mover munderover mtable mtr mtd mlabeledtr mpadded mphantom menclose mglyph merror';
export const ALLOWED: ReadonlySet<string> = new Set(`${TEXT} ${TABLE} ${FORMULA}`.split(' '));

const DIRECTED = new Set('p h1 h2 h3 h4 h5 h6 li td th blockquote ul ol'.split(' '));
/** Ids of a text's own making, and what points at them. */
const DROPPED = [
  'id',
  'ariaDescribedBy',
  'ariaLabel',
  'dataFootnoteRef',
  'dataFootnoteBackref',
  'dataFootnotes',
];

/** Each paragraph runs in the direction of its own first letter; a picture within a link is no second link. */
export function settled() {
  return (tree: Tree) => {
    const open = (tree.children as ElementContent[]).map((node) => ({ node, linked: false }));
    for (let next = open.pop(); next; next = open.pop()) {
      const { node, linked } = next;
      if (node.type !== 'element') continue;
      for (const name of DROPPED) delete node.properties[name];
      if (DIRECTED.has(node.tagName)) node.properties['dir'] = 'auto';
      if (node.tagName === 'img' && linked) node.properties['dataLinked'] = true;
      for (const child of node.children) open.push({ node: child, linked: linked || node.tagName === 'a' });
    }
  };
}

/** Characters that nobody sees, and that make code read otherwise than it runs (CVE-2021-42574). */
const UNSEEN = /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/u;

/** In code the unseen is shown by its number, in place of the character. */
export function unseenShown() {
  return (tree: Tree) => {
    const open = (tree.children as ElementContent[]).map((node) => ({ node, inCode: false }));
    for (let next = open.pop(); next; next = open.pop()) {
      const { node } = next;
      if (node.type !== 'element') continue;
      const inCode = next.inCode || node.tagName === 'code';
      if (inCode) node.children = node.children.flatMap(withUnseen);
      for (const child of node.children) open.push({ node: child, inCode });
    }
  };
}

function withUnseen(node: ElementContent): ElementContent[] {
  if (node.type !== 'text' || !UNSEEN.test(node.value)) return [node];
  const parts = node.value.split(new RegExp(`(${UNSEEN.source})`, 'u'));
  return parts.filter(Boolean).map((value) => {
    if (!UNSEEN.test(value)) return { type: 'text', value };
    const number = `U+${(value.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    const children: ElementContent[] = [{ type: 'text', value: number }];
    return { type: 'element', tagName: 'span', properties: { className: ['unseen'] }, children };
  });
}

export function textOf(node: ElementContent): string {
  if (node.type === 'text') return node.value;
  return node.type === 'element' ? node.children.map(textOf).join('') : '';
}

export function codeOf(pre: Element | undefined): { language: string; source: string; formula: boolean } {
  const code = pre?.children.find((child) => child.type === 'element');
  const names = code?.properties['className'];
  const classes = Array.isArray(names) ? names.map(String) : [];
  const language = classes.find((one) => one.startsWith('language-'))?.slice('language-'.length) ?? '';
  const source = pre ? textOf(pre).replace(/\n$/, '') : '';
  return { language, source, formula: classes.includes('math-display') };
}

const HOST = /^(?:https?:\/\/)?((?:[\w-]+\.)+[a-z]{2,})(?::\d+)?(?:[/?#]|$)/i;

/** The host that a link leads to where its text names another one. */
export function otherHost(node: Element | undefined, to: string): string | null {
  const shown = HOST.exec(node ? textOf(node).trim() : '')?.[1]?.toLowerCase();
  if (!shown || !URL.canParse(to)) return null;
  const { host } = new URL(to);
  return host && host !== shown && host !== `www.${shown}` && `www.${host}` !== shown ? host : null;
}
