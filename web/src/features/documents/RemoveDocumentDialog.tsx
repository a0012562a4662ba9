/** Delete one document: what goes with it, and whether it comes back, is said first. */
import { Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import { Dialog } from '../../ui/Dialog';
import { DialogForm } from '../../ui/DialogForm';
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
      <DialogForm
        danger
        error={remove.error}
        submit={words.submit}
        dismiss={words.keep}
        pending={remove.isPending}
        onSubmit={() => remove.mutate()}
        onClose={onClose}
      >
        <Text>
          {document.state === 'ready' ? words.hint(format.count(document.chunks)) : words.hintFailed}
        </Text>
        {document.origin === 'folder' && <Text>{words.folder}</Text>}
        {document.origin === 'url' && <Text>{words.url}</Text>}
      </DialogForm>
    </Dialog>
  );
}
