import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';

import { api, body } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { NameInput } from '../../ui/NameInput';
import { nameFault } from '../../ui/names';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { makeUsual, settingsQuery, useTaken } from './queries';

export function RenameDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const { models, jobs } = useWords();
  const [next, setNext] = useState(name);
  const taken = useTaken(name);
  const client = useQueryClient();
  const navigate = useNavigate();
  const rename = useMutation({
    mutationFn: async () => {
      const settings = await client.fetchQuery(settingsQuery);
      const renamed = body(
        await api.PATCH('/api/models/{name}', { params: { path: { name } }, body: { name: next.trim() } }),
      );
      // The settings name the default: it stays the default under its new name.
      if (settings.default_variant === name) await makeUsual(renamed.name);
      return renamed;
    },
    onSuccess: async (variant) => {
      onClose();
      await navigate({ to: '/models/$name', params: { name: variant.name }, replace: true });
      client.removeQueries({ queryKey: ['models', name] });
      await client.invalidateQueries({ queryKey: ['models'] });
      await client.invalidateQueries({ queryKey: ['settings'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate();
  };
  const ready = next.trim() !== '' && next.trim() !== name && nameFault(next, taken) === null;
  return (
    <Dialog opened onClose={onClose} title={models.rename.title(name)}>
      <form onSubmit={submit}>
        <Stack>
          <NameInput
            label={models.rename.label}
            value={next}
            onChange={(value) => {
              setNext(value);
              if (rename.error) rename.reset();
            }}
            taken={taken}
            required
            data-autofocus
          />
          <Text size="sm" c="dimmed">
            {models.rename.hint}
          </Text>
          {rename.error && <ProblemAlert error={rename.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {jobs.close}
            </Button>
            <Button type="submit" loading={rename.isPending} disabled={!ready}>
              {models.rename.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
