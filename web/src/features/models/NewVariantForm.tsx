/** A variant from a base and some of its adapters, each with a gain. */
import { Button, Checkbox, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';

import { api, body } from '../../api/client';
import type { BaseEntry, Variant } from '../../api/queries';
import { Dialog } from '../../ui/Dialog';
import { NameInput } from '../../ui/NameInput';
import { nameFault } from '../../ui/names';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { GainSlider } from './GainSlider';
import { useTaken } from './queries';

interface Props {
  entries: readonly BaseEntry[];
  /** A variant whose adapters and gains are where one begins. */
  from?: Variant;
  onClose: () => void;
}

export function NewVariantForm({ entries, from, onClose }: Props) {
  const { models: words, jobs } = useWords();
  const [baseId, setBaseId] = useState(entries[0]?.base.id ?? '');
  const [name, setName] = useState('');
  const [gains, setGains] = useState<Readonly<Record<string, number>>>(() => firstGains(entries, from));
  const taken = useTaken();
  const client = useQueryClient();
  const navigate = useNavigate();
  const adapters = entries.find((entry) => entry.base.id === baseId)?.adapters ?? [];
  const chosen = adapters.filter((adapter) => adapter.id in gains);
  // A board goes along until one gain is chosen in its place.
  const boardOf = (id: string) => {
    const part = from?.adapters.find((one) => one.adapter_id === id);
    return part?.board && gains[id] === (part.gain ?? 1) ? part.board : null;
  };
  const create = useMutation({
    mutationFn: async () =>
      body(
        await api.POST('/api/models/variants', {
          body: {
            name: name.trim(),
            base: baseId,
            adapters: chosen.map(({ id }) => ({ adapter: id, gain: gains[id] ?? 1, board: boardOf(id) })),
            base_board: from?.base_board ?? null,
          },
        }),
      ),
    onSuccess: async (variant) => {
      await client.invalidateQueries({ queryKey: ['models'] });
      onClose();
      await navigate({ to: '/models/$name', params: { name: variant.name } });
    },
  });
  const use = (id: string, gain: number | null) =>
    setGains(({ [id]: _, ...rest }) => (gain === null ? rest : { ...rest, [id]: gain }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  const ready = chosen.length > 0 && name.trim() !== '' && nameFault(name, taken) === null;
  return (
    <Dialog opened onClose={onClose} title={words.create.title} size="lg">
      <form onSubmit={submit}>
        <Stack gap="lg">
          <NameInput
            label={words.create.name}
            value={name}
            onChange={(value) => {
              setName(value);
              if (create.error) create.reset();
            }}
            taken={taken}
            required
            data-autofocus
          />
          {entries.length > 1 ? (
            <NativeSelect
              label={words.create.base}
              value={baseId}
              onChange={(event) => setBaseId(event.currentTarget.value)}
              data={entries.map(({ base }) => ({ value: base.id, label: base.name }))}
            />
          ) : (
            <Text size="sm" className="words">
              {words.create.base}: <strong>{entries[0]?.base.name}</strong>
            </Text>
          )}
          <fieldset className="plain">
            <Text component="legend" size="sm" fw={500}>
              {words.create.adapters}
            </Text>
            <Text size="sm" c="dimmed" mb="sm">
              {words.gainHint}
            </Text>
            {adapters.map(({ id, name: adapter }) => (
              <Stack key={id} gap="xs" mb="sm">
                <Checkbox
                  label={adapter}
                  classNames={{ label: 'words' }}
                  checked={id in gains}
                  onChange={(event) => use(id, event.currentTarget.checked ? 1 : null)}
                />
                {id in gains && (
                  <GainSlider name={adapter} gain={gains[id] ?? 1} onChange={(gain) => use(id, gain)} />
                )}
              </Stack>
            ))}
            {chosen.length === 0 && (
              <Text size="sm" c="dimmed">
                {words.create.none}
              </Text>
            )}
          </fieldset>
          {create.error && <ProblemAlert error={create.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {jobs.close}
            </Button>
            <Button type="submit" loading={create.isPending} disabled={!ready}>
              {words.create.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

/** Those of the variant that one comes from, or the only adapter there is. */
function firstGains(entries: readonly BaseEntry[], from: Variant | undefined): Record<string, number> {
  if (from?.adapters.length) {
    return Object.fromEntries(from.adapters.map(({ adapter_id, gain }) => [adapter_id, gain ?? 1]));
  }
  const only = entries.length === 1 && entries[0]?.adapters.length === 1 ? entries[0].adapters[0] : undefined;
  return only ? { [only.id]: 1 } : {};
}
