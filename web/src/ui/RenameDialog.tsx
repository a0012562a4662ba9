/** Something gets another name; what is wrong with one is said while it is typed. */
import { Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';

import { Dialog } from './Dialog';
import { DialogForm } from './DialogForm';

interface Props {
  title: string;
  label: string;
  /** What a name may be made of. */
  rule?: string;
  /** What else the new name changes. */
  hint?: string;
  submit: string;
  name: string;
  longest: number;
  fault?: (name: string) => string | null;
  onSave: (name: string) => Promise<void>;
  onClose: () => void;
}

export function RenameDialog(props: Props) {
  const { title, label, rule, hint, submit, name, longest, fault, onSave, onClose } = props;
  const [next, setNext] = useState(name);
  const rename = useMutation({ mutationFn: () => onSave(next.trim()) });
  const wrong = fault?.(next) ?? null;
  return (
    <Dialog opened onClose={onClose} title={title}>
      <DialogForm
        error={rename.error}
        submit={submit}
        pending={rename.isPending}
        ready={next.trim() !== '' && next.trim() !== name && wrong === null}
        onSubmit={() => rename.mutate()}
        onClose={onClose}
      >
        <TextInput
          label={label}
          description={rule}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={next}
          onChange={(event) => {
            setNext(event.currentTarget.value);
            if (rename.error) rename.reset();
          }}
          error={wrong}
          maxLength={longest}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
          data-autofocus
        />
        {hint && (
          <Text size="sm" c="dimmed">
            {hint}
          </Text>
        )}
      </DialogForm>
    </Dialog>
  );
}
