/** What can be done with a set as a whole: behind one press. */
import { ActionIcon, Button, Group, Menu, Stack, Text, TextInput } from '@mantine/core';
import { IconDots, IconDownload, IconPencil, IconTable, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { api, body, send } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import type { DataSet } from './queries';

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
      {asked === 'rename' && <RenameDialog set={set} onClose={close} />}
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

function RenameDialog({ set, onClose }: { set: DataSet; onClose: () => void }) {
  const { data, jobs } = useWords();
  const { rename: words } = data;
  const client = useQueryClient();
  const [name, setName] = useState(set.name);
  const rename = useMutation({
    mutationFn: async () =>
      body(
        await api.PATCH('/api/data/{data_id}', {
          params: { path: { data_id: set.id } },
          body: { name: name.trim() },
        }),
      ),
    onSuccess: async () => {
      onClose();
      await client.invalidateQueries({ queryKey: ['data'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate();
  };
  return (
    <Dialog opened onClose={onClose} title={words.title(set.name)}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label={words.label}
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value);
              if (rename.error) rename.reset();
            }}
            maxLength={200}
            autoComplete="off"
            required
            data-autofocus
          />
          {rename.error && <ProblemAlert error={rename.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {jobs.close}
            </Button>
            <Button
              type="submit"
              loading={rename.isPending}
              disabled={name.trim() === '' || name.trim() === set.name}
            >
              {words.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}

function RemoveDialog(props: { set: DataSet; onClose: () => void; onRemoved?: (() => void) | undefined }) {
  const { set, onClose, onRemoved } = props;
  const { data, jobs } = useWords();
  const { remove: words } = data;
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: async () => api.DELETE('/api/data/{data_id}', { params: { path: { data_id: set.id } } }),
    onSuccess: async () => {
      onClose();
      onRemoved?.();
      client.removeQueries({ queryKey: ['data', set.id] });
      await client.invalidateQueries({ queryKey: ['data'] });
    },
  });
  return (
    <Dialog opened onClose={onClose} title={words.title(set.name)}>
      <Stack>
        <Text>{words.hint}</Text>
        {remove.error && <ProblemAlert error={remove.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {jobs.close}
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            {words.submit}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
