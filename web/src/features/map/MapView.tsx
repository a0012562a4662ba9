/** `/models/$name/map`: where the base of a model can be tuned, and what each place weighs. */
import { Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { useJob } from '../../api/jobs';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { AnchorLink } from '../../ui/links';
import { useSpeech } from '../../words';
import { CellModules } from './CellModules';
import { MapGrid, type Shown } from './MapGrid';
import classes from './MapView.module.css';
import { MemoryTable } from './MemoryTable';
import { Outside } from './Outside';
import type { Place } from './places';
import { mapQuery, sensitivitiesQuery, type Sensed } from './queries';
import { SensitivityPart } from './SensitivityPart';

export function MapView() {
  const { name } = useParams({ from: '/models/$name/map' });
  const { language, words: all } = useSpeech();
  const words = all.map;
  const found = useQuery(mapQuery(name));
  const [chosen, setChosen] = useState<Place | null>(null);
  const [shown, setShown] = useState<Shown | null>(null);
  const [look, setLook] = useState<string | null>(null);
  const base = found.data?.name ?? '';
  const looks = useQuery({ ...sensitivitiesQuery(base), enabled: base !== '' });
  const lookId = look ?? looks.data?.[0]?.id;
  const { job } = useJob(lookId);
  // The schema of a job's result stands beside it in the API's document.
  const sensed = job?.state === 'succeeded' ? (job.result as Sensed | null) : null;
  const back = (
    <AnchorLink to="/models/$name" params={{ name }} size="sm">
      ← {name}
    </AnchorLink>
  );
  if (!found.data) {
    return (
      <Page title={words.title} back={back}>
        {found.error ? <ProblemAlert error={found.error} /> : <Loading rows={3} height={120} />}
      </Page>
    );
  }
  const { map } = found.data;
  return (
    <Page title={words.title} back={back} lead={<span className="words">{words.of(found.data.name)}</span>}>
      <section className="card">
        <Title order={2} size="h4" mb="sm">
          {words.about}
        </Title>
        <ul className={classes.facts}>
          {map.explanation.map((fact) => (
            <li key={fact.topic}>{fact[language]}</li>
          ))}
        </ul>
        <Text size="sm" c="dimmed">
          {map.architecture} · {words.ways[map.way]}
        </Text>
      </section>
      <Outside map={map} />
      {map.stacks.length > 0 && (
        <MapGrid
          key={name}
          name={name}
          map={map}
          sensed={sensed}
          // What was measured last is what one wants to see, until one chooses.
          shown={shown === null || (shown === 'sensitivity' && !sensed) ? lastOf(sensed) : shown}
          onShow={setShown}
          chosen={chosen}
          onChoose={setChosen}
        />
      )}
      {chosen && <CellModules map={map} place={chosen} first={found.data.rank} sensed={sensed} />}
      {map.purpose === 'causal' && map.format !== 'config' && map.stacks.length === 1 && !looks.isPending && (
        <SensitivityPart
          base={base}
          looks={looks.data ?? []}
          shown={lookId}
          onShow={(id) => {
            setLook(id);
            setShown(null);
          }}
        />
      )}
      <MemoryTable found={found.data} />
    </Page>
  );
}

const lastOf = (sensed: Sensed | null): Shown => (sensed ? 'sensitivity' : 'parameters');
