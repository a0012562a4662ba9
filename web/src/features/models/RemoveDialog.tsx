/** Remove a variant, or a base with its files. Everything that goes along is named before anything goes. */
import { Button, Checkbox, Group, List, Stack, Text } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { api, body } from '../../api/client';
import { hasStatus } from '../../api/problem';
import { isBase, isOver, runsQuery, type BaseEntry, type Variant } from '../../api/queries';
import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { goesAlong } from './lineage';

interface Props {
  variant: Variant;
  entry: BaseEntry;
  isUsual: boolean;
  onClose: () => void;
}

export function RemoveDialog({ variant, entry, isUsual, onClose }: Props) {
  const words = useWords().models.remove;
  const client = useQueryClient();
  const navigate = useNavigate();
  const isZero = isBase(variant);
  const { variants, adapters } = goesAlong(variant, entry);
  const running = useQuery({ ...runsQuery, enabled: isZero })
    .data?.filter((run) => run.base_id === entry.base.id && !isOver(run.job.state))
    .map((run) => String(run.recipe.name));
  const along = [
    ...(variants.length ? [words.variants(variants.join(', '))] : []),
    ...(adapters.length ? [words.adapters(adapters.join(', '))] : []),
    ...(isZero && running?.length ? [words.running(running.join(', '))] : []),
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
  return (
    <Dialog opened onClose={onClose} title={words.title(variant.name)}>
      <Stack>
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
        {adapters.length > 0 && <Text>{words.learned}</Text>}
        {isUsual && <Text>{words.usual}</Text>}
        {along.length > 0 && (
          <Checkbox
            label={words.sure}
            checked={sure}
            onChange={(event) => setAgreed(event.currentTarget.checked ? list : null)}
          />
        )}
        {hasStatus(remove.error, 409) ? (
          <Text role="alert" c="var(--mantine-color-error)" fw={600}>
            {words.changed}
          </Text>
        ) : (
          remove.error && <ProblemAlert error={remove.error} />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {words.keep}
          </Button>
          <Button color="red" loading={remove.isPending} disabled={!sure} onClick={() => remove.mutate()}>
            {words.submit}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
