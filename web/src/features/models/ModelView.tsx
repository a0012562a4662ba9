/** `/models/$name`: one variant, what it is made of, and what can be done with it. */
import { Badge, Group, Text, Title, Tooltip } from '@mantine/core';
import { IconGridDots, IconRoute } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { codeOf } from '../../api/problem';
import { isBase, modelsQuery } from '../../api/queries';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { AnchorLink, ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { AdapterFacts, BaseFacts } from './Facts';
import { Standing } from './FamilyTree';
import { variantZero } from './lineage';
import { MemoryNeed } from './MemoryNeed';
import { ModelActions } from './ModelActions';
import { NewVariantForm } from './NewVariantForm';
import { detailsQuery, memoryOf, useUsual } from './queries';

export function ModelView() {
  const { name } = useParams({ from: '/models/$name' });
  const { models: words, map: mapWords } = useWords();
  const format = useFormat();
  const usual = useUsual();
  const [creating, setCreating] = useState(false);
  const found = useQuery(detailsQuery(name));
  const all = useQuery(modelsQuery);
  const back = (
    <AnchorLink to="/models" size="sm">
      ← {words.all}
    </AnchorLink>
  );
  // What has been removed elsewhere is not shown as if it were still here.
  if (!found.data || codeOf(found.error) === 'model-not-found') {
    return (
      <Page title={name} back={back}>
        {found.error ? <ProblemAlert error={found.error} /> : <Loading rows={2} height={160} />}
      </Page>
    );
  }
  const { variant, base, adapters } = found.data;
  const entry = all.data?.find((one) => one.base.id === base.id);
  const baseName = (entry && variantZero(entry)?.name) ?? base.name;
  const isZero = isBase(variant);
  const partOf = (id: string) => variant.adapters.find((part) => part.adapter_id === id);
  const gainOf = (id: string) => {
    const part = partOf(id);
    return part?.board ? words.onBoard : format.decimal(part?.gain ?? 1, 2);
  };
  const memory = memoryOf(found.data);
  return (
    <Page
      title={variant.name}
      back={back}
      lead={
        <Group gap="xs">
          {usual === variant.name && (
            <Tooltip label={words.usualHint}>
              <Badge variant="outline">{words.usual}</Badge>
            </Tooltip>
          )}
          <span className="words">
            {isZero
              ? words.baseItself
              : [
                  ...adapters.map(({ id, name: own }) => words.gainOf(own, gainOf(id))),
                  ...(variant.base_board ? [words.ownBoard] : []),
                ].join(', ')}
          </span>
        </Group>
      }
      actions={
        <ModelActions
          variant={variant}
          entry={entry}
          baseName={baseName}
          usual={usual}
          onNew={() => setCreating(true)}
        />
      }
    >
      {adapters.map((adapter) => (
        <AdapterFacts key={adapter.id} adapter={adapter} gain={gainOf(adapter.id)} />
      ))}
      <BaseFacts
        base={base}
        columns={found.data.board?.columns ?? []}
        title={
          isZero ? (
            words.kinds.base
          ) : (
            <>
              {words.kinds.base}:{' '}
              <AnchorLink to="/models/$name" params={{ name: baseName }} inherit>
                {baseName}
              </AnchorLink>
            </>
          )
        }
      />
      {base.format !== 'remote' && (
        <div>
          <ButtonLink
            to="/models/$name/map"
            params={{ name: variant.name }}
            variant="default"
            leftSection={<IconGridDots size={18} aria-hidden />}
          >
            {mapWords.open}
          </ButtonLink>
        </div>
      )}
      {memory && <MemoryNeed memory={memory} />}
      {isZero && entry && base.format !== 'remote' && (
        <section>
          <Group justify="space-between" mb="sm">
            <Title order={2} size="h4">
              {words.onIt}
            </Title>
            <ButtonLink
              to="/runs"
              search={{ start: baseName }}
              variant="default"
              leftSection={<IconRoute size={18} aria-hidden />}
            >
              {words.train}
            </ButtonLink>
          </Group>
          {entry.adapters.length ? <Standing entry={entry} /> : <Text c="dimmed">{words.onItNone}</Text>}
        </section>
      )}
      {creating && entry && (
        <NewVariantForm entries={[entry]} from={variant} onClose={() => setCreating(false)} />
      )}
    </Page>
  );
}
