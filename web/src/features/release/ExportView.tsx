/** `/models/$name/export`: a variant as files for other programs, each with its differences from the live one. */
import { Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';

import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { ExportCard } from './ExportCard';
import { ExportForm } from './ExportForm';
import { exportsQuery } from './queries';

export function ExportView() {
  const { name } = useParams({ from: '/models/$name/export' });
  const { exporting: words } = useWords();
  const found = useQuery(exportsQuery(name));
  const back = (
    <AnchorLink to="/models/$name" params={{ name }} size="sm">
      ← {name}
    </AnchorLink>
  );
  return (
    <Page title={words.title} part={name} back={back} lead={words.lead}>
      {found.error ? (
        <ProblemAlert error={found.error} />
      ) : !found.data ? (
        <Loading rows={2} height={160} />
      ) : (
        <>
          <ExportForm variant={name} />
          <section>
            <Title order={2} size="h4" mb="sm">
              {words.made}
            </Title>
            <Stack>
              {found.data.map((one) => (
                <ExportCard key={one.id} made={one} />
              ))}
              {found.data.length === 0 && <Text c="dimmed">{words.none}</Text>}
            </Stack>
          </section>
        </>
      )}
    </Page>
  );
}
