/** A document's text around a span, as far as it is loaded. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { blocksOf } from './blocks';
import { textQuery } from './queries';
import type { Place } from './sourced';

export function useSource({ document: id, span }: Place) {
  const query = useInfiniteQuery(textQuery(id, span));
  const { data } = query;
  const document = data?.pages[0]?.document;
  const blocks = useMemo(() => {
    const pieces = data?.pages ?? [];
    const [first] = pieces;
    if (!first) return [];
    return blocksOf(pieces.map(({ text }) => text).join(''), first.start, first.document, span);
  }, [data, span]);
  return {
    document,
    blocks,
    error: query.error,
    again: () => void query.refetch(),
    pending: query.isPending,
    earlier: query.hasPreviousPage,
    later: query.hasNextPage,
    loading: query.isFetchingPreviousPage || query.isFetchingNextPage,
    loadEarlier: () => void query.fetchPreviousPage(),
    loadLater: () => void query.fetchNextPage(),
  };
}

export type Source = ReturnType<typeof useSource>;
