/** The columns of a base's board, as the studio knows them. */
import { useQuery } from '@tanstack/react-query';

import { detailsQuery } from './queries';

/** Of the base of this name; none while they are not known. */
export function useColumns(base: string | undefined): readonly string[] {
  const found = useQuery({ ...detailsQuery(base ?? ''), enabled: base !== undefined });
  return found.data?.board?.columns ?? [];
}
