/** What can be done with a set as a whole: behind one press. */
import { ActionIcon, Menu } from '@mantine/core';
import { IconDots, IconDownload, IconPencil, IconTable, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { api, body, send } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { RenameDialog } from '../../ui/RenameDialog';
import { useWords } from '../../words';
import type { DataSet } from './queries';
import { RemoveDialog } from './RemoveDialog';

interface Props {
  set: DataSet;
  size?: number;
  onMap?: (() => void) | undefined;
  onRemoved?: () => void;
}

export function DataActions({ set, size = 36, onMap, onRemoved }: Props) {
  const { data: words } = useWords();
  const [asked, setAsked] = useState<'rename' | 'remove' | null>(null);
  const save = useMutation({ mutationFn: () => saveFile(set) });
  const close = () => setAsked(null);
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="default" size={size} aria-label={words.more(set.name)}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconDownload size={16} aria-hidden />} onClick={() => save.mutate()}>
            {words.save}
          </Menu.Item>
          {onMap && (
            <Menu.Item leftSection={<IconTable size={16} aria-hidden />} onClick={onMap}>
              {words.mapping.button}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setAsked('rename')}>
            {words.rename.button}
          </Menu.Item>
          <Menu.Item
            c="var(--mantine-color-error)"
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={() => setAsked('remove')}
          >
            {words.remove.button}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asked === 'rename' && <RenameSet set={set} onClose={close} />}
      {asked === 'remove' && <RemoveDialog set={set} onClose={close} onRemoved={onRemoved} />}
      <Dialog opened={save.isError} onClose={save.reset} title={words.save}>
        <ProblemAlert error={save.error} again={() => save.mutate()} pending={save.isPending} />
      </Dialog>
    </>
  );
}

/** Not by a link: it would go without the key. */
async function saveFile({ id, name }: DataSet): Promise<void> {
  const address = URL.createObjectURL(await (await send(`/api/data/${id}/file`)).blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

function RenameSet({ set, onClose }: { set: DataSet; onClose: () => void }) {
  const { rename: words } = useWords().data;
  const client = useQueryClient();
  const save = async (name: string) => {
    body(await api.PATCH('/api/data/{data_id}', { params: { path: { data_id: set.id } }, body: { name } }));
    onClose();
    await client.invalidateQueries({ queryKey: ['data'] });
  };
  return (
    <RenameDialog
      title={words.title(set.name)}
      label={words.label}
      submit={words.submit}
      name={set.name}
      longest={200}
      onSave={save}
      onClose={onClose}
    />
  );
}
