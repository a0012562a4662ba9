/** A setting of the board as a variant of its own, beside the one that it began with. */
import { Button, Group, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';

import { api, body } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { NameInput } from '../../ui/NameInput';
import { nameFault } from '../../ui/names';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useTaken, type Details } from '../models/queries';
import { gainOf } from './board';
import type { Setting } from './setting';

export function SaveDialog({
  details,
  setting,
  onClose,
}: {
  details: Details;
  setting: Setting;
  onClose: () => void;
}) {
  const { board: words, jobs, models } = useWords();
  const [name, setName] = useState('');
  const taken = useTaken();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { adapters: board, base } = setting;
  const everywhere = board ? gainOf(board) : 1;
  const create = useMutation({
    mutationFn: async () =>
      body(
        await api.POST('/api/models/variants', {
          body: {
            name: name.trim(),
            base: details.variant.base_id,
            adapters: details.variant.adapters.map(({ adapter_id }) =>
              everywhere === null
                ? { adapter: adapter_id, gain: 1, board }
                : { adapter: adapter_id, gain: everywhere },
            ),
            base_board: base && gainOf(base) !== 1 ? base : null,
          },
        }),
      ),
    onSuccess: async (variant) => {
      await client.invalidateQueries({ queryKey: ['models'] });
      onClose();
      await navigate({ to: '/models/$name', params: { name: variant.name } });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title={words.save}>
      <form onSubmit={submit}>
        <Stack gap="lg">
          <NameInput
            label={models.create.name}
            value={name}
            onChange={(value) => {
              setName(value);
              if (create.error) create.reset();
            }}
            taken={taken}
            required
            data-autofocus
          />
          {create.error && <ProblemAlert error={create.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {jobs.close}
            </Button>
            <Button
              type="submit"
              loading={create.isPending}
              disabled={name.trim() === '' || nameFault(name, taken) !== null}
            >
              {models.create.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
