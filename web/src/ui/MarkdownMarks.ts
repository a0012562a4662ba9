/** Marks in a text that is drawn as Markdown, such as the number of a source behind a sentence. */
import type { ReactNode } from 'react';

import type { Element, ElementContent } from './MarkdownElements';

export interface Mark {
  /** In units of the text: the mark stands behind what ends here. */
  at: number;
  node: ReactNode;
}

interface Tree {
  children: unknown[];
}
interface Spot {
  parent: { children: ElementContent[] };
  node: ElementContent;
  from: number;
  to: number;
}

/** An empty span with `dataMark` for each place; the text itself cannot make one. In code there is none: a mark
 * that would stand there stands behind it. */
export function marked(places: readonly number[]) {
  return () => (tree: Tree) => {
    const spots: Spot[] = [];
    collect(tree as { children: ElementContent[] }, spots);
    // The last first, so that what is split still stands where it was found.
    for (let index = places.length - 1; index >= 0; index -= 1) place(spots, places[index] ?? 0, index);
  };
}

function collect(parent: Spot['parent'], spots: Spot[]): void {
  for (const node of parent.children) {
    if (node.type === 'element' && node.tagName !== 'pre') collect(node, spots);
    else if (node.type === 'text' || node.type === 'element') {
      const [from, to] = [node.position?.start.offset, node.position?.end.offset];
      if (from !== undefined && to !== undefined) spots.push({ parent, node, from, to });
    }
  }
}

function place(spots: readonly Spot[], at: number, index: number): void {
  const spot = spots.findLast(({ from }) => from < at) ?? spots[0];
  if (!spot) return;
  const { parent, node, from, to } = spot;
  const mark: Element = { type: 'element', tagName: 'span', properties: { dataMark: index }, children: [] };
  const here = parent.children.indexOf(node);
  // An escape makes a text shorter than its source: then nobody knows where to split it.
  if (node.type === 'text' && at < to && node.value.length === to - from) {
    const rest: ElementContent = { type: 'text', value: node.value.slice(at - from) };
    node.value = node.value.slice(0, at - from);
    spot.to = at;
    parent.children.splice(here + 1, 0, mark, rest);
  } else parent.children.splice(here + 1, 0, mark);
}
