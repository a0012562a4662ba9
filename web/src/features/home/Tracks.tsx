/** The two tracks with their stations: learning below, serving above, and the switch between them. */
import { Text, VisuallyHidden } from '@mantine/core';
import { Link } from '@tanstack/react-router';

import { useWords } from '../../words';
import type { Station } from './stations';
import classes from './Tracks.module.css';

export function Tracks({ stations }: { stations: readonly Station[] }) {
  const { home } = useWords();
  const reached = stations.findIndex((station) => station.standing !== 'reached');
  return (
    <section className={classes.board} aria-label={home.loop}>
      <Lines reached={reached < 0 ? stations.length : reached} />
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

/** Stations stand at 10, 30, … 90 of 100; the way goes over from the lower line to the upper after the third. */
const WAY = ['M0 70H10', 'M10 70H30', 'M30 70H50', 'M50 70C60 70 60 30 70 30', 'M70 30H90'];

function Lines({ reached }: { reached: number }) {
  return (
    <svg className={classes.lines} viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden>
      <path className={classes.idle} d="M0 30H100" />
      <path className={classes.idle} d="M0 70H100" />
      <path className={classes.idle} d={WAY[3]} />
      {WAY.slice(0, Math.max(1, reached)).map((part) => (
        <path key={part} className={classes.way} d={part} />
      ))}
    </svg>
  );
}
