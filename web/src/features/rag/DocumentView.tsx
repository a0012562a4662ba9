/** `/documents/$collection/$document?start&end`: a document's text, at a passage of it. */
import { Group, Text, Title } from '@mantine/core';
import { useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';

import { OriginalLinks } from '../../sources/OriginalLinks';
import { whereIs, type Place } from '../../sources/sourced';
import { SourceFacts } from '../../sources/SourceFacts';
import { SourceText } from '../../sources/SourceText';
import { useSource } from '../../sources/useSource';
import { AnchorLink } from '../../ui/links';
import { useTitle } from '../../ui/title';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './rag.module.css';

export function DocumentView() {
  const { rag, documents } = useWords();
  const format = useFormat();
  const { collection, document: id } = useParams({ from: '/documents/$collection/$document' });
  const { start, end } = useSearch({ from: '/documents/$collection/$document' });
  const place = useMemo((): Place => {
    const span = start !== undefined && end !== undefined && end > start ? { start, end } : null;
    return { document: id, span };
  }, [id, start, end]);
  const source = useSource(place);
  const { document } = source;
  const title = document?.title || document?.source || rag.source.unknown;
  useTitle(title, documents.title);
  const { page, path } = document && place.span ? whereIs(document, place.span.start) : NOWHERE;
  return (
    <div className={classes.document}>
      <div className={classes.documentHead}>
        <AnchorLink to="/documents/$collection" params={{ collection }} size="sm" className="words">
          {documents.title}
        </AnchorLink>
        <Group justify="space-between" wrap="nowrap" align="flex-start" gap="sm">
          <Title order={1} size="h3" className="words">
            {title}
          </Title>
          {document && (
            <Group gap={2} wrap="nowrap">
              <OriginalLinks document={document} />
            </Group>
          )}
        </Group>
        {document && <SourceFacts page={page} path={path} source={document.source} />}
        {document && (
          <Text size="xs" c="dimmed" className="figures">
            {rag.source.read(format.moment(document.updated_at))} · {format.bytes(document.size)}
          </Text>
        )}
      </div>
      <SourceText place={place} source={source} level={2} />
    </div>
  );
}

const NOWHERE = { page: null, path: [] };
