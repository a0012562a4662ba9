/** `/documents/$collection/search`: which passages a question finds, and why each of them came. */
import { Button, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';

import { AnchorLink } from '../../ui/links';
import { Page } from '../../ui/Page';
import { Segments } from '../../ui/Segments';
import { useWords } from '../../words';
import { LEGS, LONGEST_QUERY, readSearch, type Asked, type Legs } from './asked';
import { Filters } from './Filters';
import { Findings } from './Findings';
import classes from './rag.module.css';

export function SearchView() {
  const { rag, documents } = useWords();
  const words = rag.search;
  const { collection } = useParams({ from: '/documents/$collection/search' });
  const asked = useSearch({ from: '/documents/$collection/search' });
  const navigate = useNavigate();
  const { query = '' } = asked;
  const [draft, setDraft] = useState({ query, text: query });
  // Going back brings the question of that time back.
  const text = draft.query === query ? draft.text : query;
  const go = (change: { [K in keyof Asked]: Asked[K] | undefined }) =>
    void navigate({ to: '.', search: readSearch({ ...asked, query: text, ...change }) });
  return (
    <Page
      title={words.titleIn(collection)}
      part={documents.title}
      lead={words.lead}
      back={
        <AnchorLink to="/documents/$collection" params={{ collection }} size="sm" className="words">
          {collection}
        </AnchorLink>
      }
    >
      <form
        className={classes.form}
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          go({});
        }}
      >
        <div className={classes.asking}>
          <TextInput
            type="search"
            size="md"
            aria-label={words.label}
            placeholder={words.placeholder}
            leftSection={<IconSearch size={18} aria-hidden />}
            maxLength={LONGEST_QUERY}
            value={text}
            onChange={(event) => setDraft({ query, text: event.currentTarget.value })}
            autoFocus={query === ''}
            dir="auto"
          />
          <Button type="submit" size="md" disabled={text.trim() === ''}>
            {words.submit}
          </Button>
        </div>
        <div className={classes.choices}>
          <Segments<Legs>
            label={words.legs}
            value={asked.legs ?? 'both'}
            onChange={(legs) => go({ legs: legs === 'both' ? undefined : legs })}
            data={LEGS.map((value) => ({ value, label: words[value] }))}
          />
          <Filters
            collection={collection}
            filters={asked.filters ?? {}}
            onChange={(filters) => go({ filters })}
          />
        </div>
      </form>
      <Findings key={JSON.stringify(asked)} collection={collection} asked={asked} />
    </Page>
  );
}
