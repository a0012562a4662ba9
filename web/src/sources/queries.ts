/** What is read of collections and of a document's text. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';

import { api, body } from '../api/client';
import { charactersIn } from './places';
import type { Document, Span } from './sourced';

export const collectionsQuery = queryOptions({
  queryKey: ['collections'],
  queryFn: async () => body(await api.GET('/api/collections')),
});

const PIECE = 20_000;
/** So much of what stands before a passage is there at once. */
const BEFORE = 4_000;

interface Piece {
  start: number;
  stop: number;
}

/** The piece with the span; spans near each other share it, so that going from one to the other loads nothing. */
export function firstPiece(span: Span | null): Piece {
  if (!span) return { start: 0, stop: PIECE };
  const start = Math.max(0, Math.floor((span.start - BEFORE) / PIECE) * PIECE);
  return { start, stop: Math.max(start + 2 * PIECE, span.end + BEFORE) };
}

/** A document's text in pieces around a span; each page of it is a piece, in the order of the text. */
export const textQuery = (document: string, span: Span | null) => {
  const first = firstPiece(span);
  return infiniteQueryOptions({
    queryKey: ['documents', document, 'text', first.start, first.stop],
    queryFn: async ({ pageParam: { start, stop }, signal }) => {
      const params = { path: { document_id: document }, query: { start, stop } };
      const read = body(await api.GET('/api/documents/{document_id}', { params, signal }));
      return { ...read, document: read.document as Document, stop: start + charactersIn(read.text) };
    },
    initialPageParam: first,
    getNextPageParam: ({ document: { characters }, stop }): Piece | undefined =>
      stop < characters ? { start: stop, stop: stop + PIECE } : undefined,
    getPreviousPageParam: ({ start }): Piece | undefined =>
      start > 0 ? { start: Math.max(0, start - PIECE), stop: start } : undefined,
    staleTime: 60_000,
  });
};
