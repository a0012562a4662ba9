/** Remove a variant, or a base with its files. Everything that goes along is named before anything goes. */
import { Checkbox, List, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { api, body } from '../../api/client';
import { hasStatus } from '../../api/problem';
import { isBase, isOver, jobsQuery, runsQuery, type BaseEntry, type Variant } from '../../api/queries';
import { Dialog } from '../../ui/Dialog';
import { DialogForm } from '../../ui/DialogForm';
import { listed } from '../../ui/names';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { exportsQuery } from '../release/queries';
import { goesAlong, sharedWith } from './lineage';

interface Props {
  variant: Variant;
  entry: BaseEntry;
  isUsual: boolean;
  onClose: () => void;
}

export function RemoveDialog({ variant, entry, isUsual, onClose }: Props) {
  const { models, jobs } = useWords();
  const words = models.remove;
  const kinds: Record<string, string> = jobs.kinds;
  const format = useFormat();
  const client = useQueryClient();
  const navigate = useNavigate();
  const isZero = isBase(variant);
  const { variants, adapters } = goesAlong(variant, entry);
  const running = useQuery({ ...runsQuery, enabled: isZero })
    .data?.filter((run) => run.base_id === entry.base.id && !isOver(run.job.state))
    .map((run) => String(run.recipe.name));
  const along = [
    ...(variants.length ? [words.variants(listed(variants))] : []),
    ...(adapters.length ? [words.adapters(listed(adapters))] : []),
    ...(isZero && running?.length ? [words.running(listed(running))] : []),
  ];
  const exported = useQuery(exportsQuery(variant.name)).data?.length ?? 0;
  const going = useQuery(jobsQuery).data?.filter(
    (job) => !isOver(job.state) && job.args['variant'] === variant.name,
  );
  const others = [
    ...sharedWith(variant, entry).map(({ adapter, users }) => words.shared(adapter, listed(users))),
    ...(exported > 0 ? [words.exported(format.count(exported))] : []),
    ...(going?.length ? [words.going(going.map(({ kind }) => kinds[kind] ?? kind).join(', '))] : []),
  ];
  // The consent is to this list: what is put on it meanwhile asks for a new one.
  const list = along.join('\n');
  const [agreed, setAgreed] = useState<string | null>(null);
  const sure = along.length === 0 || agreed === list;
  const remove = useMutation({
    mutationFn: async () =>
      body(
        await api.DELETE('/api/models/{name}', {
          params: { path: { name: variant.name }, query: { cascade: isZero && along.length > 0 } },
        }),
      ),
    onSuccess: async () => {
      onClose();
      await navigate({ to: '/models' });
      client.removeQueries({ queryKey: ['models', variant.name] });
      await client.invalidateQueries({ queryKey: ['models'] });
      await client.invalidateQueries({ queryKey: ['settings'] });
    },
    onError: () => client.invalidateQueries({ queryKey: ['models'], exact: true }),
  });
  const hasChanged = hasStatus(remove.error, 409);
  return (
    <Dialog opened onClose={onClose} title={words.title(variant.name)}>
      <DialogForm
        danger
        error={hasChanged ? null : remove.error}
        submit={words.submit}
        dismiss={words.keep}
        pending={remove.isPending}
        ready={sure}
        onSubmit={() => remove.mutate()}
        onClose={onClose}
      >
        <Text>{isZero ? words.base : words.variant}</Text>
        {along.length > 0 && (
          <div>
            <Text fw={600} mb={4}>
              {words.along}
            </Text>
            <List className="words">
              {along.map((line) => (
                <List.Item key={line}>{line}</List.Item>
              ))}
            </List>
          </div>
        )}
        {others.map((line) => (
          <Text key={line} className="words">
            {line}
          </Text>
        ))}
        {adapters.length > 0 && <Text>{words.learned}</Text>}
        {isUsual && <Text>{words.usual}</Text>}
        {along.length > 0 && (
          <Checkbox
            label={words.sure}
            checked={sure}
            onChange={(event) => setAgreed(event.currentTarget.checked ? list : null)}
          />
        )}
        {hasChanged && (
          <Text role="alert" c="var(--mantine-color-error)" fw={600}>
            {words.changed}
          </Text>
        )}
      </DialogForm>
    </Dialog>
  );
}
