/** Markdown before it is parsed: cut into blocks that can be drawn one by one, and its formulas made explicit. */

/** From here on a block is parsed alone: while an answer grows, only its last block is parsed again. */
const BLOCK = 600;
/** A list is held together longer: each of its parts is a list of its own to a screen reader. */
const LIST = 2_000;
/** Longer than what people write and read as formatted text; parsing it would stop the page for a while. */
const LONGEST_BLOCK = 20_000;
/** Each level is a recursion in the parser and an element in the page. */
const DEEPEST = 24;

/** A few kilobytes can make a table of millions of cells (a row of dashes long, then one letter a line). */
const MOST_CELLS = 12_000;
/** Headings that are underlined cost the square of their number in one block. */
const MOST_UNDERLINES = 400;

const DELIMITERS = /^[ \t|:-]*\|[ \t|:-]*$/gm;
const UNDERLINE = /^ {0,3}(?:=+|-+)[ \t]*$/gm;
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})/;
const MARKER = /^(?:[-*+](?:\s|$)|\d{1,9}(?:[.)]|$))/;
/** An item for certain, whatever may still come after it. */
const ITEM = /^(?:[-*+]|\d{1,9}[.)])[ \t]+[^\s\-*+]/;
const DEFINITION = /^ {0,3}\[[^\]\n]{1,200}\]:/m;
// A dash or star counts only with a blank after it: a row of them is a line across the page.
const NESTED = new RegExp(`^(?:[ \\t]*(?:>|[-*+][ \\t]|\\d{1,9}[.)][ \\t])){${DEEPEST}}`, 'm');
const INDENTED_LIST = new RegExp(`^[ \\t]{${DEEPEST * 2},}(?:[-*+]|\\d{1,9}[.)])[ \\t]`, 'm');

/** The blocks of `text`; a longer text has the same blocks but for the last. Joined they give `text` again.
 * A definition (of a link, of a note) serves the whole text, which therefore is not cut once it is `live` no more. */
export function splitBlocks(text: string, live = false): string[] {
  if (text.length <= BLOCK) return [text];
  if (!live && text.length <= LONGEST_BLOCK && DEFINITION.test(text)) return [text];
  const blocks: string[] = [];
  let start = 0;
  let at = 0;
  let fence = '';
  let formula = false;
  let blank = true;
  let list = false;
  for (const line of text.split('\n')) {
    const outside = !fence && !formula;
    if (outside && (blank || list) && /^\S/.test(line)) {
      const marked = MARKER.test(line);
      const apart = blank && !(list && marked);
      if (apart ? at - start >= BLOCK : at - start >= LIST && ITEM.test(line)) {
        blocks.push(text.slice(start, at));
        start = at;
      }
      if (blank) list = marked;
    }
    const [, run = ''] = FENCE.exec(line) ?? [];
    if (fence) {
      if (run.startsWith(fence) && line.trim() === run) fence = '';
    } else if (run) fence = run;
    else if ((line.split('$$').length - 1) % 2 === 1) formula = !formula;
    else if (/^\s*\\[[\]]\s*$/.test(line)) formula = line.includes('[');
    // A formula that never ends must not hold together the rest of a long answer.
    if (formula && line.trim() === '' && at - start > LONGEST_BLOCK / 2) formula = false;
    blank = line.trim() === '';
    at += line.length + 1;
  }
  blocks.push(text.slice(start));
  return blocks;
}

/** Whether a block is shown as it is, since parsing it would take too long or nest too deep. */
export function isUnparsable(block: string): boolean {
  if (block.length > LONGEST_BLOCK || NESTED.test(block) || INDENTED_LIST.test(block)) return true;
  return (block.match(UNDERLINE)?.length ?? 0) > MOST_UNDERLINES || cellsIn(block) > MOST_CELLS;
}

/** How many cells a table in the block may become: each row is filled up to as many as its head has. */
function cellsIn(block: string): number {
  let columns = 0;
  for (const row of block.match(DELIMITERS) ?? []) columns = Math.max(columns, row.split('|').length);
  return columns && columns * block.split('\n').length;
}

const FORMULA = new RegExp(
  [
    // What is kept as it is: fenced code, code in a line, escaped characters.
    String.raw`(?<kept>^ {0,3}(?<fence>\`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\k<fence>|(?![\s\S]))`,
    String.raw`(?<ticks>\`+)(?!\`)[\s\S]{1,2000}?(?<!\`)\k<ticks>(?!\`)|\\[\\$\`])`,
    String.raw`\\\((?<round>[\s\S]{1,2000}?)\\\)`,
    String.raw`(?<square>\\\[(?<inSquare>[\s\S]{1,2000}?)\\\])`,
    String.raw`(?<double>\$\$(?<inDouble>[^$]{1,2000}?)\$\$)`,
    // Pandoc's rule, so that "$5 and $10" stays money.
    String.raw`(?<single>\$[^\s$](?:[^$\n]{0,1000}?[^\s$\\])?\$(?!\d))`,
    String.raw`(?<lone>\$)`,
  ].join('|'),
  'gm',
);

/** Every way to write a closed formula becomes the one that remark-math reads; other dollars stay dollars. */
export function markFormulas(block: string): { text: string; formulas: boolean } {
  if (!/\$|\\[([]/.test(block)) return { text: block, formulas: false };
  let formulas = false;
  const text = block.replace(FORMULA, (whole: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Partial<Record<string, string>>;
    if (groups['kept'] !== undefined) return whole;
    if (groups['lone'] !== undefined) return '\\$';
    formulas = true;
    if (groups['single'] !== undefined) return whole;
    if (groups['round'] !== undefined) return `$${groups['round'].trim()}$`;
    const inside = (groups['inSquare'] ?? groups['inDouble'] ?? '').trim();
    const at = Number(rest.at(-3));
    const alone =
      /(?:^|\n)$/.test(block.slice(Math.max(0, at - 1), at)) &&
      /^[ \t]*(?:\n|$)/.test(block.slice(at + whole.length));
    return alone ? `$$\n${inside}\n$$` : `$$${inside.replace(/\s*\n\s*/g, ' ')}$$`;
  });
  return formulas ? { text, formulas } : { text: block, formulas };
}
