/** Delete a data set: what was made of it, and what learned from it, is named first. */
import { List, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api } from '../../api/client';
import { runsQuery } from '../../api/queries';
import { Dialog } from '../../ui/Dialog';
import { DialogForm } from '../../ui/DialogForm';
import { listed } from '../../ui/names';
import { useWords } from '../../words';
import { dependentsOf } from './dependents';
import { dataJobsQuery, dataSetsQuery, type DataSet } from './queries';

interface Props {
  set: DataSet;
  onClose: () => void;
  onRemoved?: (() => void) | undefined;
}

export function RemoveDialog({ set, onClose, onRemoved }: Props) {
  const { remove: words } = useWords().data;
  const client = useQueryClient();
  const { data: jobs = [] } = useQuery(dataJobsQuery);
  const { data: runs = [] } = useQuery(runsQuery);
  const sets = useInfiniteQuery(dataSetsQuery).data?.pages.flat() ?? [];
  const found = dependentsOf(set, sets, jobs, runs);
  const lines = [
    found.made.length > 0 && words.made(listed(found.made)),
    found.runs.length > 0 && words.runs(listed(found.runs)),
    found.going.length > 0 && words.going(found.going.map((action) => words.actions[action]).join(', ')),
  ].filter((line) => line !== false);
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
      <DialogForm
        danger
        error={remove.error}
        submit={words.submit}
        pending={remove.isPending}
        onSubmit={() => remove.mutate()}
        onClose={onClose}
      >
        <Text>{words.hint}</Text>
        {lines.length > 0 && (
          <List className="words">
            {lines.map((line) => (
              <List.Item key={line}>{line}</List.Item>
            ))}
          </List>
        )}
      </DialogForm>
    </Dialog>
  );
}
