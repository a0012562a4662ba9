/** `/data/$id`: one set: what it is, what the check found, and what is made of it. */
import { Button, Stack, Text } from '@mantine/core';
import { IconDatabase, IconRoute } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { hasStatus, untilReached } from '../../api/problem';
import { EmptyState } from '../../ui/EmptyState';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { AnchorLink, ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { CheckPart } from './CheckPart';
import { DataActions } from './DataActions';
import { MadePart } from './MadePart';
import { MappingForm } from './MappingForm';
import { samplesOf, useOrigin } from './origin';
import { dataSetQuery, type DataSetEntry } from './queries';
import { ShapePart } from './ShapePart';
import { isTrainable } from './shaping';
import { SplitPart } from './SplitPart';
import { TokensPart } from './TokensPart';

export function DataSetView() {
  const { data: words } = useWords();
  const { id } = useParams({ from: '/data/$id' });
  const { data: set, error } = useQuery({
    ...dataSetQuery(id),
    refetchInterval: ({ state }) => untilReached(state.error),
    retry: false,
  });
  const gone = hasStatus(error, 404) || hasStatus(error, 422);
  if (set && !gone) return <Found key={set.id} set={set} />;
  return (
    <Page
      title={words.title}
      back={
        <AnchorLink to="/data" size="sm">
          {words.all}
        </AnchorLink>
      }
    >
      {gone ? (
        <EmptyState
          icon={<IconDatabase size={28} />}
          title={words.unknown}
          hint={words.unknownHint}
          action={<ButtonLink to="/data">{words.all}</ButtonLink>}
        />
      ) : error ? (
        <ProblemAlert error={error} />
      ) : (
        <Loading rows={3} height={120} />
      )}
    </Page>
  );
}

function Found({ set }: { set: DataSetEntry }) {
  const { data: words } = useWords();
  const format = useFormat();
  const origin = useOrigin();
  const navigate = useNavigate();
  const [mapping, setMapping] = useState(false);
  const { recognized, made } = set;
  const rows = set.rows ?? samplesOf(made);
  const lead = [
    recognized.format
      ? `${words.formats[recognized.format]} · ${recognized.file.toUpperCase()}`
      : recognized.file.toUpperCase(),
    ...(rows === null ? [] : [words.rows(format.count(rows))]),
    format.bytes(set.size),
    origin(set),
  ];
  const known = recognized.format != null;
  const trainable = known && isTrainable(set);
  return (
    <Page
      title={set.name}
      part={words.title}
      back={
        <AnchorLink to="/data" size="sm">
          {words.all}
        </AnchorLink>
      }
      lead={
        <>
          <span className="words">{lead.join(' · ')}</span>
          <Text size="sm" c="dimmed" component="div">
            {`${words.check.fingerprint}: `}
            <code title={set.sha256}>{set.sha256.slice(0, 12)}</code>
          </Text>
        </>
      }
      actions={
        <>
          {trainable && (
            <ButtonLink
              to="/runs"
              search={{ data: set.id }}
              leftSection={<IconRoute size={18} aria-hidden />}
            >
              {words.train.button}
            </ButtonLink>
          )}
          {known && !trainable && (
            <Button
              component="a"
              href="#shape"
              variant="default"
              leftSection={<IconRoute size={18} aria-hidden />}
            >
              {words.shape.title}
            </Button>
          )}
          <DataActions
            set={set}
            onMap={known && !made ? () => setMapping(true) : undefined}
            onRemoved={() => void navigate({ to: '/data' })}
          />
        </>
      }
    >
      <Stack gap="lg">
        {(!known || mapping) && (
          <MappingForm set={set} {...(known ? { onClose: () => setMapping(false) } : {})} />
        )}
        {made && <MadePart made={made} />}
        {known && (
          <>
            <CheckPart set={set} />
            <ShapePart set={set} trainable={trainable} />
            <SplitPart set={set} />
            <TokensPart set={set} />
          </>
        )}
      </Stack>
    </Page>
  );
}
