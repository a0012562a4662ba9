/** The two tracks with their stations: learning below, serving above, and the switch between them. */
import { Text, VisuallyHidden } from '@mantine/core';
import { Link } from '@tanstack/react-router';

import { useWords } from '../../words';
import type { Station, StationName } from './stations';
import classes from './Tracks.module.css';

export function Tracks({ stations }: { stations: readonly Station[] }) {
  const { home } = useWords();
  return (
    <section className={classes.board} aria-label={home.loop}>
      <Lines stations={stations} />
      <p className={classes.serving}>
        <Text span fw={650} size="sm">
          {home.serving}
        </Text>
        <Text span c="dimmed" size="sm">
          {home.servingHint}
        </Text>
      </p>
      <ol className={classes.stations}>
        {stations.map((station) => (
          <li key={station.name} className={classes.station} data-station={station.name}>
            <Link {...station.link} className={classes.link} data-standing={station.standing}>
              <span className={classes.knob} aria-hidden />
              <span className={classes.words}>
                <span className={classes.name}>
                  {home.stations[station.name]}
                  {station.standing === 'next' || station.standing === 'now' ? (
                    <span className={classes.here}>{home[station.standing]}</span>
                  ) : (
                    <VisuallyHidden>{` (${home[station.standing]})`}</VisuallyHidden>
                  )}
                </span>
                <span className={classes.state}>{station.state}</span>
                <span className={classes.act}>{station.act}</span>
              </span>
            </Link>
          </li>
        ))}
      </ol>
      <p className={classes.learning}>
        <Text span fw={650} size="sm">
          {home.learning}
        </Text>
        <Text span c="dimmed" size="sm">
          {home.learningHint}
        </Text>
      </p>
    </section>
  );
}

/** Stations stand at the middles of six columns; the way goes over from the lower line to the upper after the
 * fourth. Documents are a stop on it that has a way of its own: what is taken in is answered from at once. */
const WAY = {
  base: 'M0 70H8.33',
  documents: 'M8.33 70H25',
  data: 'M25 70H41.67',
  run: 'M41.67 70H58.33',
  variant: 'M58.33 70C66.67 70 66.67 30 75 30',
  served: 'M75 30H91.67',
} as const satisfies Record<StationName, string>;
const ACROSS = 'M25 70C33.33 70 33.33 30 41.67 30';
const ALONG = 'M41.67 30H75';

function Lines({ stations }: { stations: readonly Station[] }) {
  const names = stations.filter(({ name }) => name !== 'documents');
  const first = names.findIndex(({ standing }) => standing !== 'reached');
  const reached = names.slice(0, first < 0 ? names.length : Math.max(1, first)).map(({ name }) => name);
  const hasDocuments = stations.some(({ name, standing }) => name === 'documents' && standing === 'reached');
  // Without a base there is nothing that answers from them.
  const hasBase = stations.some(({ name, standing }) => name === 'base' && standing === 'reached');
  const parts = [
    ...reached.map((name) => WAY[name]),
    // Whoever goes on to the data passes by the documents.
    ...(hasDocuments || reached.includes('data') ? [WAY.documents] : []),
    ...(hasDocuments && hasBase ? [ACROSS, ALONG, WAY.served] : []),
  ];
  return (
    <svg className={classes.lines} viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden>
      <path className={classes.idle} d="M0 30H100" />
      <path className={classes.idle} d="M0 70H100" />
      <path className={classes.idle} d={ACROSS} />
      <path className={classes.idle} d={WAY.variant} />
      {parts.map((part, place) => (
        <path key={place} className={classes.way} d={part} />
      ))}
    </svg>
  );
}
