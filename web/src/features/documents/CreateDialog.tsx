/** A new collection: its name, and for who wants to say, what makes and keeps its vectors. */
import { Button, Collapse, Group, NativeSelect, Stack, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { api, body } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
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
  const { documents, jobs } = useWords();
  const { create: words } = documents;
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [draft, setDraft] = useState(USUAL);
  const [store, setStore] = useState<Collection['store']>('pgvector');
  const [opened, { toggle }] = useDisclosure();
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
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  const edited = () => create.error && create.reset();
  return (
    <Dialog opened onClose={onClose} title={words.title}>
      <form onSubmit={submit}>
        <Stack>
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
          <Group>
            <Button
              variant="subtle"
              size="compact-sm"
              ms={-8}
              onClick={toggle}
              aria-expanded={opened}
              aria-controls="vectors"
            >
              {opened ? words.less : words.more}
            </Button>
          </Group>
          <Collapse expanded={opened} id="vectors">
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
          </Collapse>
          {create.error && <ProblemAlert error={create.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {jobs.close}
            </Button>
            <Button
              type="submit"
              loading={create.isPending}
              disabled={name.trim() === '' || fault !== null || embedder === undefined}
            >
              {words.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
