import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, body } from '../../api/client';
import { RenameDialog as Rename } from '../../ui/RenameDialog';
import { useWords } from '../../words';
import { LONGEST_NAME, nameFault } from './names';
import { collectionQuery, collectionsQuery, type Collection } from './queries';

/** A collection's id stays; its address in the page does not. */
export function RenameDialog({ collection, onClose }: { collection: Collection; onClose: () => void }) {
  const { rename: words, create } = useWords().documents;
  const client = useQueryClient();
  const navigate = useNavigate();
  const others = useQuery(collectionsQuery).data?.filter(({ id }) => id !== collection.id) ?? [];
  const save = async (name: string) => {
    const { name: next } = body(
      await api.PATCH('/api/collections/{collection}', {
        params: { path: { collection: collection.id } },
        body: { name },
      }),
    );
    onClose();
    client.setQueryData(collectionQuery(next).queryKey, { ...collection, name: next });
    await navigate({ to: '/documents/$collection', params: { collection: next }, replace: true });
    client.removeQueries({ queryKey: ['collections', collection.name] });
    await client.invalidateQueries({ queryKey: ['collections'] });
  };
  return (
    <Rename
      title={words.title(collection.name)}
      label={words.label}
      hint={words.hint}
      submit={words.submit}
      name={collection.name}
      longest={2 * LONGEST_NAME}
      fault={(name) => {
        const fault = nameFault(name, new Set(others.map((one) => one.name)));
        return fault && create.faults[fault];
      }}
      onSave={save}
      onClose={onClose}
    />
  );
}
