/** Make a key, or give one another name, role or end. */
import { Button, Group, Input, NativeSelect, SegmentedControl, Stack, Text, TextInput } from '@mantine/core';
import { useId, useState, type FormEvent } from 'react';

import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import classes from './Keys.module.css';
import {
  dayOf,
  endOf,
  TERMS,
  useChangeKey,
  useCreateKey,
  type Key,
  type KeyWithSecret,
  type Role,
  type Term,
} from './keys';

interface Props {
  /** The key to change; without it, one is made. */
  of?: Key;
  onClose: () => void;
  onMade?: (made: KeyWithSecret) => void;
  onChanged?: (key: Key) => void;
}

export function KeyForm({ of: key, onClose, onMade, onChanged }: Props) {
  const { keys, shell, jobs } = useWords();
  const { form: words } = keys;
  const roleLabel = useId();
  const [name, setName] = useState(key?.name ?? '');
  const [role, setRole] = useState<Role>(key?.role ?? 'user');
  const [term, setTerm] = useState<Term>(key?.expires_at ? 'date' : 'never');
  const [date, setDate] = useState(key?.expires_at ? dayOf(key.expires_at) : '');
  const create = useCreateKey();
  const change = useChangeKey(key?.id ?? '');
  const { error, isPending } = key ? change : create;
  const untouched = key?.expires_at && term === 'date' && date === dayOf(key.expires_at);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const expires_at = untouched ? (key.expires_at ?? null) : endOf(term, date);
    const fields = { name: name.trim(), role, expires_at };
    if (key) change.mutate(fields, { onSuccess: (changed) => onChanged?.(changed) });
    else create.mutate(fields, { onSuccess: (made) => onMade?.(made) });
  };
  return (
    <Dialog opened onClose={onClose} title={key ? words.changeTitle(key.name) : words.createTitle}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <TextInput
            label={words.name}
            description={words.nameHint}
            inputWrapperOrder={['label', 'input', 'error', 'description']}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            maxLength={100}
            autoComplete="off"
            data-autofocus
          />
          <div>
            <Input.Label component="div" id={roleLabel} mb={4}>
              {words.role}
            </Input.Label>
            <SegmentedControl
              fullWidth
              aria-labelledby={roleLabel}
              value={role}
              onChange={(value) => setRole(value as Role)}
              data={(['user', 'admin'] as const).map((one) => ({ value: one, label: shell.roles[one] }))}
            />
            <Text size="xs" c="dimmed" className={classes.role ?? ''} aria-live="polite">
              {words.roles[role]}
            </Text>
          </div>
          <Group grow align="flex-start">
            <NativeSelect
              label={words.expires}
              value={term}
              onChange={(event) => setTerm(event.currentTarget.value as Term)}
              data={TERMS.map((one) => ({ value: one, label: words.terms[one] }))}
            />
            {term === 'date' && (
              <TextInput
                type="date"
                label={words.date}
                value={date}
                onChange={(event) => setDate(event.currentTarget.value)}
                min={dayOf(new Date())}
                required
              />
            )}
          </Group>
          {error && <ProblemAlert error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {jobs.close}
            </Button>
            <Button type="submit" loading={isPending}>
              {key ? words.save : words.create}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
