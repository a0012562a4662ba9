/** Colours for code whose language is named; guessing it costs time and is often wrong. */
import rehypeHighlight from 'rehype-highlight';

import type { Colours } from './MarkdownExtras';

export const colours: Colours = { rehype: [rehypeHighlight, { detect: false }] };
