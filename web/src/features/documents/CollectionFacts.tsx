/** How a collection is kept: what made its vectors, how its documents are cut, where the vectors lie. */
import { Title } from '@mantine/core';

import { CopyText } from '../../ui/CopyText';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './CollectionFacts.module.css';
import { nameOf } from './EmbedDialog';
import type { Collection } from './queries';

export function CollectionFacts({ collection }: { collection: Collection }) {
  const { documents } = useWords();
  const { facts: words, create } = documents;
  const format = useFormat();
  const { embedder, chunking, store, half, created_at: made, id } = collection;
  return (
    <section className="card">
      <Title order={2} size="h5" mb="sm">
        {words.title}
      </Title>
      <dl className={classes.facts}>
        <div>
          <dt>{words.embedder}</dt>
          <dd className="words">
            {nameOf(embedder.id)}
            <span className={classes.more}>
              {words.dimensions(format.count(embedder.dimensions))}
              {half && `, ${words.half}`}
            </span>
          </dd>
        </div>
        <div>
          <dt>{words.chunking}</dt>
          <dd>{words.chunkingOf(format.count(chunking.tokens), format.count(chunking.overlap))}</dd>
        </div>
        <div>
          <dt>{words.store}</dt>
          <dd>{create.stores[store]}</dd>
        </div>
        <div>
          <dt>{words.created}</dt>
          <dd className="figures">{format.date(made)}</dd>
        </div>
        <div>
          <dt>{words.id}</dt>
          <dd>
            <CopyText text={id} label={words.id} keep={8} />
          </dd>
        </div>
      </dl>
    </section>
  );
}
