/** A setting of the board as a variant of its own, beside the one that it began with. */
import { useState } from 'react';

import { Dialog } from '../../ui/Dialog';
import { DialogForm } from '../../ui/DialogForm';
import { NameInput } from '../../ui/NameInput';
import { nameFault } from '../../ui/names';
import { useWords } from '../../words';
import { useCreateVariant, useTaken, type Details } from '../models/queries';
import { gainOf } from './board';
import type { Setting } from './setting';

interface Props {
  details: Details;
  setting: Setting;
  onClose: () => void;
}

export function SaveDialog({ details, setting, onClose }: Props) {
  const { board: words, models } = useWords();
  const [name, setName] = useState('');
  const taken = useTaken();
  const create = useCreateVariant(onClose);
  const { adapters: board, base } = setting;
  const everywhere = board ? gainOf(board) : 1;
  const submit = () =>
    create.mutate({
      name: name.trim(),
      base: details.variant.base_id,
      adapters: details.variant.adapters.map(({ adapter_id }) =>
        everywhere === null
          ? { adapter: adapter_id, gain: 1, board }
          : { adapter: adapter_id, gain: everywhere },
      ),
      base_board: base && gainOf(base) !== 1 ? base : null,
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
