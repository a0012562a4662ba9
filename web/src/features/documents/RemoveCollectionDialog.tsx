/** Delete a collection: what goes is said first, and where it is much, its name is asked for. */
import { Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { api, body } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { DialogForm } from '../../ui/DialogForm';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { watchedQuery, type Collection } from './queries';

export function RemoveCollectionDialog({
  collection,
  onClose,
}: {
  collection: Collection;
  onClose: () => void;
}) {
  const { documents } = useWords();
  const { removeCollection: words, remove } = documents;
  const format = useFormat();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const watched = useQuery(watchedQuery).data;
  const isEmpty = collection.documents === 0;
  const isFed = watched?.collection === collection.name && watched.files > 0;
  const sure = isEmpty || typed.trim() === collection.name;
  const removing = useMutation({
    mutationFn: async () =>
      body(
        await api.DELETE('/api/collections/{collection}', {
          params: { path: { collection: collection.id } },
        }),
      ),
    onSuccess: async () => {
      onClose();
      await navigate({ to: '/documents' });
      client.removeQueries({ queryKey: ['collections', collection.name] });
      await client.invalidateQueries({ queryKey: ['collections'] });
    },
  });
  return (
    <Dialog opened onClose={onClose} title={words.title(collection.name)}>
      <DialogForm
        danger
        error={removing.error}
        submit={words.submit}
        dismiss={remove.keep}
        pending={removing.isPending}
        ready={sure}
        onSubmit={() => removing.mutate()}
        onClose={onClose}
      >
        <Text>
          {isEmpty
            ? words.hintEmpty
            : words.hint(format.count(collection.documents), format.count(collection.chunks))}
        </Text>
        {isFed && <Text>{words.folder}</Text>}
        {!isEmpty && (
          <TextInput
            label={words.sure(collection.name)}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
          />
        )}
      </DialogForm>
    </Dialog>
  );
}
