/** `/`: the two tracks, where one stands on them, the next step, and what was done last. */
import { Stack, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { isOver, jobsQuery, modelsQuery, runsQuery } from '../../api/queries';
import { JobCard } from '../../ui/JobCard';
import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { FirstStep } from './FirstStep';
import { KoreanHint } from './KoreanHint';
import { collectionsQuery, recentQuery, setsQuery } from './queries';
import { Recent } from './Recent';
import { stationsOf } from './stations';
import { StudioHealth } from './StudioHealth';
import { Tracks } from './Tracks';

export function HomeView() {
  const { home } = useWords();
  const format = useFormat();
  const models = useQuery(modelsQuery);
  const runs = useQuery(runsQuery);
  const jobs = useQuery(jobsQuery).data ?? [];
  const sessions = useQuery(recentQuery);
  const collections = useQuery(collectionsQuery);
  const sets = useQuery(setsQuery);
  const error = models.error ?? runs.error ?? sessions.error ?? collections.error ?? sets.error;
  const ready = models.data && runs.data && sessions.data && collections.data && sets.data !== undefined;
  const empty = models.data?.length === 0;
  // The first step tells of its fetch by itself.
  const active = jobs.filter((job) => !isOver(job.state) && !(empty && job.kind === 'pull'));
  return (
    <Page title={empty ? home.emptyTitle : home.title} lead={empty ? home.emptyLead : home.lead}>
      {error ? <ProblemAlert error={error} /> : !ready && <Loading rows={1} height={360} />}
      {empty && <FirstStep jobs={jobs} />}
      {ready && (
        <Tracks
          stations={stationsOf(
            {
              models: models.data,
              runs: runs.data,
              collections: collections.data,
              sets: sets.data,
              ingesting: active.some(({ kind }) => kind === 'ingest' || kind === 'embed'),
              answered: sessions.data.length > 0,
            },
            home,
            format,
          )}
        />
      )}
      {ready && <KoreanHint models={models.data} jobs={jobs} />}
      {active.length > 0 && (
        <Stack gap="sm" component="section">
          <Title order={2} size="h4">
            {home.active}
          </Title>
          {active.map((job) => (
            <JobCard key={job.id} job={job} />
          ))}
        </Stack>
      )}
      {ready && !empty && <Recent sessions={sessions.data} runs={runs.data} models={models.data} />}
      {ready && (
        <StudioHealth models={models.data} runs={runs.data} collections={collections.data} sets={sets.data} />
      )}
    </Page>
  );
}
