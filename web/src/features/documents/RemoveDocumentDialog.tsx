/** Delete one document: what goes with it, and whether it comes back, is said first. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Document } from './queries';

export function RemoveDocumentDialog({ document, onClose }: { document: Document; onClose: () => void }) {
  const { remove: words } = useWords().documents;
  const format = useFormat();
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: async () =>
      body(
        await api.DELETE('/api/documents/{document_id}', { params: { path: { document_id: document.id } } }),
      ),
    onSuccess: async () => {
      onClose();
      await client.invalidateQueries({ queryKey: ['collections'] });
    },
  });
  return (
    <Dialog opened onClose={onClose} title={words.title(document.title)}>
      <Stack>
        <Text>
          {document.state === 'ready' ? words.hint(format.count(document.chunks)) : words.hintFailed}
        </Text>
        {document.origin === 'folder' && <Text>{words.folder}</Text>}
        {document.origin === 'url' && <Text>{words.url}</Text>}
        {remove.error && <ProblemAlert error={remove.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {words.keep}
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            {words.submit}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
