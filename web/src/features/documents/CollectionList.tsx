/** The collections, each with what it holds and what could not be read. */
import { Badge, Title } from '@mantine/core';
import { IconAlertTriangle, IconStack2 } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './CollectionList.module.css';
import type { Collection } from './queries';

export function CollectionList({ collections }: { collections: readonly Collection[] }) {
  const { documents: words } = useWords();
  const format = useFormat();
  return (
    <section>
      <Title order={2} size="h4" mb="sm" id="collections">
        {words.collections}
      </Title>
      <ul className={classes.list} aria-labelledby="collections">
        {collections.map(({ id, name, documents, chunks, failed, created_at: made }) => (
          <li key={id}>
            <Link to="/documents/$collection" params={{ collection: name }} className={classes.card}>
              <span className={classes.name}>
                <IconStack2 size={18} aria-hidden className={classes.icon} />
                <span className="words">{name}</span>
              </span>
              <span className={classes.counts}>
                <span className={classes.documents}>{words.documentsCount(format.count(documents))}</span>
                {chunks > 0 && <span>{words.passages(format.count(chunks))}</span>}
                {documents === 0 && <span>{words.made(format.date(made))}</span>}
              </span>
              {failed > 0 && (
                <Badge
                  variant="light"
                  color="red"
                  className="state-failed"
                  leftSection={<IconAlertTriangle size={12} aria-hidden />}
                >
                  {words.unread(format.count(failed))}
                </Badge>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
