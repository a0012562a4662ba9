/** A new collection: its name, and for who wants to say, what makes and keeps its vectors. */
import { NativeSelect, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, body } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { DialogForm } from '../../ui/DialogForm';
import { Fold } from '../../ui/Fold';
import { useWords } from '../../words';
import { addressOf, EmbedderFields, USUAL } from './EmbedderFields';
import { LONGEST_NAME, nameFault } from './names';
import type { Collection } from './queries';

interface Props {
  taken: ReadonlySet<string>;
  onClose: () => void;
  onMade: (name: string) => void;
}

export function CreateDialog({ taken, onClose, onMade }: Props) {
  const { create: words } = useWords().documents;
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [draft, setDraft] = useState(USUAL);
  const [store, setStore] = useState<Collection['store']>('pgvector');
  const embedder = addressOf(draft);
  const create = useMutation({
    mutationFn: async () =>
      body(
        await api.POST('/api/collections', {
          body: { name: name.trim(), embedder: embedder ?? null, half: draft.half, store },
        }),
      ),
    onSuccess: async (collection) => {
      await client.invalidateQueries({ queryKey: ['collections'] });
      onClose();
      onMade(collection.name);
    },
  });
  const fault = nameFault(name, taken);
  const edited = () => create.error && create.reset();
  return (
    <Dialog opened onClose={onClose} title={words.title}>
      <DialogForm
        error={create.error}
        submit={words.submit}
        pending={create.isPending}
        ready={name.trim() !== '' && fault === null && embedder !== undefined}
        onSubmit={() => create.mutate()}
        onClose={onClose}
      >
        <TextInput
          label={words.name}
          description={words.nameHint}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={name}
          onChange={(event) => {
            setName(event.currentTarget.value);
            edited();
          }}
          error={fault && words.faults[fault]}
          maxLength={2 * LONGEST_NAME}
          autoComplete="off"
          required
          data-autofocus
        />
        <Fold more={words.more} less={words.less}>
          <Stack>
            <EmbedderFields
              draft={draft}
              onChange={(next) => {
                setDraft(next);
                edited();
              }}
            />
            <NativeSelect
              label={words.store}
              description={words.storeHint}
              inputWrapperOrder={['label', 'input', 'description']}
              value={store}
              onChange={(event) => {
                setStore(event.currentTarget.value as Collection['store']);
                edited();
              }}
              data={(['pgvector', 'qdrant'] as const).map((value) => ({
                value,
                label: words.stores[value],
              }))}
            />
          </Stack>
        </Fold>
      </DialogForm>
    </Dialog>
  );
}
