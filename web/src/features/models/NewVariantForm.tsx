/** A variant from a base and some of its adapters, each with a gain. */
import { Button, Checkbox, Group, NativeSelect, Stack, Text } from '@mantine/core';
import { useState } from 'react';

import type { BaseEntry, Variant } from '../../api/queries';
import { Dialog } from '../../ui/Dialog';
import { DialogForm } from '../../ui/DialogForm';
import { NameInput } from '../../ui/NameInput';
import { nameFault } from '../../ui/names';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import type { Board } from '../board/board';
import { GainSlider } from './GainSlider';
import { useCreateVariant, useTaken } from './queries';

/** One gain everywhere, or a board. */
type Strength = number | Board;

interface Props {
  entries: readonly BaseEntry[];
  /** A variant whose adapters and gains are where one begins. */
  from?: Variant;
  onClose: () => void;
}

export function NewVariantForm({ entries, from, onClose }: Props) {
  const { models: words } = useWords();
  const [baseId, setBaseId] = useState(entries[0]?.base.id ?? '');
  const [name, setName] = useState('');
  const [strengths, setStrengths] = useState<Readonly<Record<string, Strength>>>(() =>
    firstStrengths(entries, from),
  );
  const taken = useTaken();
  const adapters = entries.find((entry) => entry.base.id === baseId)?.adapters ?? [];
  const chosen = adapters.filter((adapter) => adapter.id in strengths);
  // It goes along until one gain is chosen in its place.
  const boardOf = (id: string) => from?.adapters.find((one) => one.adapter_id === id)?.board;
  const create = useCreateVariant(onClose);
  const use = (id: string, strength: Strength | null) =>
    setStrengths(({ [id]: _, ...rest }) => (strength === null ? rest : { ...rest, [id]: strength }));
  const submit = () =>
    create.mutate({
      name: name.trim(),
      base: baseId,
      adapters: chosen.map(({ id }) => {
        const strength = strengths[id] ?? 1;
        return typeof strength === 'number'
          ? { adapter: id, gain: strength }
          : { adapter: id, gain: 1, board: strength };
      }),
      base_board: from?.base_board ?? null,
    });
  const ready = chosen.length > 0 && name.trim() !== '' && nameFault(name, taken) === null;
  return (
    <Dialog opened onClose={onClose} title={words.create.title} size="lg">
      <DialogForm
        error={create.error}
        submit={words.create.submit}
        pending={create.isPending}
        ready={ready}
        onSubmit={submit}
        onClose={onClose}
      >
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
                checked={id in strengths}
                onChange={(event) => use(id, event.currentTarget.checked ? (boardOf(id) ?? 1) : null)}
              />
              {id in strengths && (
                <StrengthField
                  name={adapter}
                  strength={strengths[id] ?? 1}
                  board={boardOf(id) ?? null}
                  from={from?.name}
                  onChange={(strength) => use(id, strength)}
                />
              )}
            </Stack>
          ))}
          {chosen.length === 0 && (
            <Text size="sm" c="dimmed">
              {words.create.none}
            </Text>
          )}
        </fieldset>
      </DialogForm>
    </Dialog>
  );
}

interface StrengthProps {
  name: string;
  strength: Strength;
  /** The one that acts in the variant that one comes from. */
  board: Board | null;
  /** That variant's name. */
  from: string | undefined;
  onChange: (strength: Strength) => void;
}

function StrengthField({ name, strength, board, from = '', onChange }: StrengthProps) {
  const { models: words, board: boardWords } = useWords();
  if (typeof strength !== 'number') {
    return (
      <Group gap="xs">
        <Text size="sm">{words.boardActs}</Text>
        <AnchorLink to="/models/$name/board" params={{ name: from }} size="sm" underline="always">
          {boardWords.open}
        </AnchorLink>
        <Button variant="default" size="compact-sm" onClick={() => onChange(1)}>
          {words.oneGain}
        </Button>
      </Group>
    );
  }
  return (
    <Stack gap="lg">
      <GainSlider name={name} gain={strength} onChange={onChange} />
      {board && (
        <Button
          variant="default"
          size="compact-sm"
          style={{ alignSelf: 'start' }}
          onClick={() => onChange(board)}
        >
          {words.boardAgain}
        </Button>
      )}
    </Stack>
  );
}

/** Those of the variant that one comes from, or the only adapter there is. */
function firstStrengths(entries: readonly BaseEntry[], from: Variant | undefined): Record<string, Strength> {
  if (from?.adapters.length) {
    return Object.fromEntries(
      from.adapters.map(({ adapter_id, gain, board }) => [adapter_id, board ?? gain ?? 1]),
    );
  }
  const only = entries.length === 1 && entries[0]?.adapters.length === 1 ? entries[0].adapters[0] : undefined;
  return only ? { [only.id]: 1 } : {};
}
