import type { SeenRow } from './queries';

export interface TokenRun {
  trained: boolean;
  /** Texts of its tokens, in their order. One that only begins a character is empty. */
  tokens: string[];
}

/** Neighbouring tokens that are all trained, or none of them. */
export function runsOf({ tokens }: Pick<SeenRow, 'tokens'>): TokenRun[] {
  const runs: TokenRun[] = [];
  for (const { text, trained } of tokens) {
    const last = runs.at(-1);
    if (last?.trained === trained) last.tokens.push(text);
    else runs.push({ trained, tokens: [text] });
  }
  return runs;
}
