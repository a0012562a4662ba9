/** Any base by its address: from the hub, the package index, this machine, another server. */
import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';

import { NameInput } from '../../ui/NameInput';
import { nameFault } from '../../ui/names';
import { Segments } from '../../ui/Segments';
import { useWords } from '../../words';
import { useTaken } from './queries';
import { addressFault, EXAMPLES, KINDS, pullOf, tokenizerFault, type Draft, type Pull } from './sources';

const EMPTY: Draft = { kind: 'hf', address: '', model: '', tokenizer: '', name: '' };

interface Props {
  onFetch: (asked: Pull, done: () => void) => void;
  /** What was refused is being corrected. */
  onEdit: (() => void) | undefined;
  pending: boolean;
}

export function PullForm({ onFetch, onEdit, pending }: Props) {
  const { pull: words } = useWords().models;
  const [draft, setDraft] = useState(EMPTY);
  const taken = useTaken();
  const { kind } = draft;
  const asked = nameFault(draft.name, taken) === null ? pullOf(draft) : null;
  const fault = addressFault(kind, draft.address);
  const noTokenizer = tokenizerFault(draft.tokenizer);
  const change = (next: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...next }));
    onEdit?.();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (asked) onFetch(asked, () => setDraft({ ...EMPTY, kind }));
  };
  const plain = {
    maxLength: 2000,
    autoComplete: 'off',
    autoCapitalize: 'none',
    spellCheck: false,
    inputWrapperOrder: ['label', 'input', 'description', 'error'],
  } satisfies Parameters<typeof TextInput>[0];
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <div>
          <Text size="sm" fw={600} mb="xs">
            {words.other}
          </Text>
          <Segments
            label={words.from}
            value={kind}
            onChange={(value) => change({ kind: value })}
            data={KINDS.map((value) => ({ value, label: words.kinds[value] }))}
          />
        </div>
        <Group align="flex-start" grow preventGrowOverflow={false} gap="md">
          <TextInput
            {...plain}
            label={words.labels[kind]}
            description={words.hints[kind]}
            placeholder={EXAMPLES[kind]}
            value={draft.address}
            onChange={(event) => change({ address: event.currentTarget.value })}
            error={fault && words.faults[fault]}
            required
            flex="2 1 20rem"
          />
          {kind === 'remote' && (
            <>
              <TextInput
                {...plain}
                label={words.model}
                description={words.modelHint}
                value={draft.model}
                onChange={(event) => change({ model: event.currentTarget.value })}
                flex="1 1 12rem"
              />
              <TextInput
                {...plain}
                label={words.tokenizer}
                description={words.tokenizerHint}
                value={draft.tokenizer}
                onChange={(event) => change({ tokenizer: event.currentTarget.value })}
                error={noTokenizer && words.faults[noTokenizer]}
                required
                flex="1 1 14rem"
              />
            </>
          )}
          <NameInput
            label={words.name}
            description={words.nameHint}
            value={draft.name}
            onChange={(name) => change({ name })}
            taken={taken}
            flex="1 1 14rem"
          />
        </Group>
        <Group>
          <Button type="submit" loading={pending} disabled={asked === null}>
            {words.start}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
