/** Whether the next question goes to documents, and to which: as the address says, else as the last answer came. */
import { useQuery } from '@tanstack/react-query';

import { collectionsQuery } from '../../sources/queries';

/** `false` is the model alone, whatever answered last. */
export type Wished = string | false | undefined;

export function useDocuments(wished: Wished, last: string | undefined) {
  const { data } = useQuery(collectionsQuery);
  const filled = data?.filter(({ documents }) => documents > 0);
  const collections = filled?.map(({ name }) => name) ?? [];
  // Until they are known, what the address says is taken at its word.
  const exists = (name: string) => !data || data.some((one) => one.name === name);
  const asked = wished ?? last ?? false;
  const documents = asked !== false && exists(asked) ? asked : null;
  return {
    collections: documents && !collections.includes(documents) ? [...collections, documents] : collections,
    documents,
    /** What the address names, and is not here. */
    missing: typeof wished === 'string' && documents === null ? wished : null,
  };
}
