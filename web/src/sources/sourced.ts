/** What an answer from documents rests on, as the studio tells it and keeps it beside the answer. */
import type { components } from '../client/schema';

type Schemas = components['schemas'];
export type Citation = Schemas['Citation'];
export type RagAnswer = Schemas['RagAnswer'];
export type Document = Schemas['Document'];

/** Of an answer that was cut off, only what was found before it began. */
export interface Sourced {
  collection: string;
  mode: RagAnswer['mode'];
  variant: string | null;
  /** The question as it was searched for. */
  searched: string;
  /** Probability that the passages hold the answer. */
  confidence: number;
  abstained?: boolean;
  citations?: Citation[];
  sentences?: RagAnswer['sentences'];
  finish_reason?: RagAnswer['finish_reason'];
}

/** The first event of a stream. */
export interface RagStarted extends Sourced {
  passages: unknown[];
  session_id: string | null;
  question_id: string | null;
  answer_id: string | null;
}

export function sourcedOf({ collection, mode, variant, searched, confidence, ...rest }: Sourced): Sourced {
  const { abstained, citations, sentences, finish_reason } = rest;
  return {
    ...{ collection, mode, variant, searched, confidence },
    ...(abstained === undefined ? {} : { abstained }),
    ...(citations ? { citations } : {}),
    ...(sentences ? { sentences } : {}),
    ...(finish_reason ? { finish_reason } : {}),
  };
}

/** A part of a document's text, in characters. */
export interface Span {
  start: number;
  end: number;
}

/** A document that is shown, at a span of it or at its beginning. */
export interface Place {
  document: string;
  span: Span | null;
}

export const isAt = (place: Place | null, { document, start, end }: Citation): boolean =>
  place?.document === document && place.span?.start === start && place.span.end === end;

/** How far the passages can be trusted to hold the answer, in three steps that people tell apart. */
export function trustOf(confidence: number): 'strong' | 'some' | 'weak' {
  return confidence >= 0.66 ? 'strong' : confidence >= 0.4 ? 'some' : 'weak';
}

/** The page of a place (from 1), and the headings above it from the outermost. */
export function whereIs(
  { pages, headings, title }: Pick<Document, 'pages' | 'headings' | 'title'>,
  at: number,
): { page: number | null; path: string[] } {
  const path: { level: number; title: string }[] = [];
  for (const [place, level, heading] of headings) {
    if (place > at) break;
    while ((path.at(-1)?.level ?? 0) >= level) path.pop();
    path.push({ level, title: heading });
  }
  const titles = path.map((one) => one.title);
  const page = pages?.length ? Math.max(1, pages.filter((start) => start <= at).length) : null;
  return { page, path: withoutTitle(titles, title) };
}

/** Between the headings of a path, as the studio joins them. */
export const BETWEEN = ' › ';

/** The document's title stands above already. */
export function withoutTitle(path: readonly string[], title: string): string[] {
  return path.filter((heading, index) => heading && (index > 0 || heading !== title));
}
