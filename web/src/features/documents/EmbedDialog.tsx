/** Let another embedder make all vectors of a collection anew. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { api, body } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { markStarted } from './activity';
import { addressOf, EmbedderFields, USUAL } from './EmbedderFields';
import type { Collection } from './queries';

export function EmbedDialog({ collection, onClose }: { collection: Collection; onClose: () => void }) {
  const { documents, jobs } = useWords();
  const { embed: words } = documents;
  const format = useFormat();
  const client = useQueryClient();
  const [draft, setDraft] = useState({ ...USUAL, half: collection.half });
  const embedder = addressOf(draft);
  const embed = useMutation({
    mutationFn: async () =>
      body(
        await api.POST('/api/collections/{collection}/embed', {
          params: { path: { collection: collection.id } },
          body: { embedder: embedder ?? null, half: draft.half },
        }),
      ),
    onSuccess: async (job) => {
      markStarted(job.id);
      onClose();
      await client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    embed.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title={words.title(collection.name)}>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm" className="words">
            {words.hint(format.count(collection.chunks), nameOf(collection.embedder.id))}
          </Text>
          <EmbedderFields
            draft={draft}
            onChange={(next) => {
              setDraft(next);
              if (embed.error) embed.reset();
            }}
          />
          {embed.error && <ProblemAlert error={embed.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {jobs.close}
            </Button>
            <Button type="submit" loading={embed.isPending} disabled={embedder === undefined}>
              {words.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

/** An embedder's id without the fingerprint of its weights, which nobody reads. */
export function nameOf(id: string): string {
  return id.replace(/#[0-9a-f]{8,}$/, '');
}
