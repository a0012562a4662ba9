/** `/models/$name/map`: where the base of a model can be tuned, and what each place weighs. */
import { Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { AnchorLink } from '../../ui/links';
import { useSpeech } from '../../words';
import { CellModules } from './CellModules';
import { MapGrid } from './MapGrid';
import classes from './MapView.module.css';
import { MemoryTable } from './MemoryTable';
import { Outside } from './Outside';
import type { Place } from './places';
import { mapQuery } from './queries';

export function MapView() {
  const { name } = useParams({ from: '/models/$name/map' });
  const { language, words: all } = useSpeech();
  const words = all.map;
  const found = useQuery(mapQuery(name));
  const [chosen, setChosen] = useState<Place | null>(null);
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
        <MapGrid key={name} name={name} map={map} chosen={chosen} onChoose={setChosen} />
      )}
      {chosen && <CellModules map={map} place={chosen} first={found.data.rank} />}
      <MemoryTable found={found.data} />
    </Page>
  );
}
