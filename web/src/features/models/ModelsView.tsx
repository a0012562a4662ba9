/** `/models`: the family tree, and the way in for new ones. */
import { Button, CloseButton, Text, TextInput, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPackages, IconPlus, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';

import { useIsAdmin } from '../../api/me';
import { modelsQuery, type BaseEntry } from '../../api/queries';
import { EmptyState } from '../../ui/EmptyState';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { FamilyTree } from './FamilyTree';
import { filtered } from './lineage';
import { NewVariantForm } from './NewVariantForm';
import { PullSection } from './PullSection';

/** From so many models on, one looks for one by its name. */
const MANY = 12;

export function ModelsView() {
  const { models: words } = useWords();
  const { data: models, error } = useQuery(modelsQuery);
  const isAdmin = useIsAdmin();
  const [creating, { open, close }] = useDisclosure();
  const trained = (models ?? []).filter((entry) => entry.adapters.length > 0);
  return (
    <Page
      title={words.title}
      lead={words.lead}
      actions={
        models && models.length > 0 ? (
          <Tooltip label={words.noAdapters} disabled={trained.length > 0}>
            <Button
              variant="default"
              leftSection={<IconPlus size={18} aria-hidden />}
              onClick={open}
              disabled={trained.length === 0}
            >
              {words.newVariant}
            </Button>
          </Tooltip>
        ) : undefined
      }
    >
      {error ? <ProblemAlert error={error} /> : !models && <Loading rows={3} height={120} />}
      {models?.length === 0 && (
        <EmptyState
          icon={<IconPackages size={28} />}
          title={words.empty}
          hint={isAdmin ? words.emptyHint : words.emptyUser}
        />
      )}
      {models && models.length > 0 && <Tree models={models} />}
      {models && isAdmin && <PullSection models={models} />}
      {creating && <NewVariantForm entries={trained} onClose={close} />}
    </Page>
  );
}

function Tree({ models }: { models: readonly BaseEntry[] }) {
  const { models: words, jobs } = useWords();
  const [text, setText] = useState('');
  const wanted = useDeferredValue(text);
  const count = models.reduce((sum, { variants, adapters }) => sum + variants.length + adapters.length, 0);
  const shown = wanted.trim() ? filtered(models, wanted) : models;
  return (
    <div>
      {count >= MANY && (
        <TextInput
          mb="sm"
          maw="24rem"
          aria-label={words.filter}
          placeholder={words.filter}
          leftSection={<IconSearch size={16} aria-hidden />}
          rightSection={
            text && <CloseButton size="sm" onClick={() => setText('')} aria-label={jobs.dismiss} />
          }
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      {shown.length ? (
        <FamilyTree models={shown} />
      ) : (
        <Text c="dimmed" role="status">
          {words.filterNone}
        </Text>
      )}
    </div>
  );
}
