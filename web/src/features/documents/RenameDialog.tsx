import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';

import { api, body } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { LONGEST_NAME, nameFault } from './names';
import { collectionQuery, collectionsQuery, type Collection } from './queries';

/** A collection's id stays; its address in the page does not. */
export function RenameDialog({ collection, onClose }: { collection: Collection; onClose: () => void }) {
  const { documents, jobs } = useWords();
  const { rename: words, create } = documents;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(collection.name);
  const others = useQuery(collectionsQuery).data?.filter(({ id }) => id !== collection.id) ?? [];
  const fault = nameFault(name, new Set(others.map((one) => one.name)));
  const rename = useMutation({
    mutationFn: async () =>
      body(
        await api.PATCH('/api/collections/{collection}', {
          params: { path: { collection: collection.id } },
          body: { name: name.trim() },
        }),
      ),
    onSuccess: async ({ name: next }) => {
      onClose();
      client.setQueryData(collectionQuery(next).queryKey, { ...collection, name: next });
      await navigate({ to: '/documents/$collection', params: { collection: next }, replace: true });
      client.removeQueries({ queryKey: ['collections', collection.name] });
      await client.invalidateQueries({ queryKey: ['collections'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate();
  };
  const ready = name.trim() !== '' && name.trim() !== collection.name && fault === null;
  return (
    <Dialog opened onClose={onClose} title={words.title(collection.name)}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label={words.label}
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value);
              if (rename.error) rename.reset();
            }}
            error={fault && create.faults[fault]}
            maxLength={2 * LONGEST_NAME}
            autoComplete="off"
            required
            data-autofocus
          />
          <Text size="sm" c="dimmed">
            {words.hint}
          </Text>
          {rename.error && <ProblemAlert error={rename.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {jobs.close}
            </Button>
            <Button type="submit" loading={rename.isPending} disabled={!ready}>
              {words.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
