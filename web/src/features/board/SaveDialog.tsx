/** A setting of the board as a variant of its own, beside the one that it began with. */
import { useState } from 'react';

import { Dialog } from '../../ui/Dialog';
import { DialogForm } from '../../ui/DialogForm';
import { NameInput } from '../../ui/NameInput';
import { nameFault } from '../../ui/names';
import { useWords } from '../../words';
import { useCreateVariant, useTaken, type Details } from '../models/queries';
import { gainOf, type Board } from './board';

interface Props {
  details: Details;
  board: Board;
  onClose: () => void;
}

export function SaveDialog({ details, board, onClose }: Props) {
  const { board: words, models } = useWords();
  const [name, setName] = useState('');
  const taken = useTaken();
  const create = useCreateVariant(onClose);
  const everywhere = gainOf(board);
  const submit = () =>
    create.mutate({
      name: name.trim(),
      base: details.variant.base_id,
      adapters: details.variant.adapters.map(({ adapter_id }) =>
        everywhere === null
          ? { adapter: adapter_id, gain: 1, board }
          : { adapter: adapter_id, gain: everywhere },
      ),
    });
  return (
    <Dialog opened onClose={onClose} title={words.save}>
      <DialogForm
        error={create.error}
        submit={models.create.submit}
        pending={create.isPending}
        ready={name.trim() !== '' && nameFault(name, taken) === null}
        onSubmit={submit}
        onClose={onClose}
      >
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
      </DialogForm>
    </Dialog>
  );
}
