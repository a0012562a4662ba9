/** Which documents are searched: by language, kind, the document itself, and whatever else is known of them. */
import { Button, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Value } from './asked';
import { fieldsQuery, sourcesQuery, type FilterField } from './queries';
import classes from './rag.module.css';

type Chosen = Readonly<Record<string, Value>>;

const GENERAL: ReadonlySet<string> = new Set(['language', 'media_type']);

interface Props {
  collection: string;
  filters: Chosen;
  onChange: (filters: Record<string, Value>) => void;
}

export function Filters({ collection, filters, onChange }: Props) {
  const { search } = useWords().rag;
  const { data: fields = [] } = useQuery(fieldsQuery(collection));
  const choose = (field: string, value: Value | null) => {
    const { [field]: _, ...others } = filters;
    onChange(value === null ? others : { ...others, [field]: value });
  };
  return (
    <fieldset className={`plain ${classes.filters ?? ''}`} aria-label={search.filters}>
      {fields.map((field) => (
        <FieldSelect
          key={field.field}
          field={field}
          chosen={filters[field.field] ?? null}
          onChange={(value) => choose(field.field, value)}
        />
      ))}
      <SourceSelect
        collection={collection}
        chosen={typeof filters['source'] === 'string' ? filters['source'] : null}
        onChange={(value) => choose('source', value)}
      />
      {Object.keys(filters).length > 0 && (
        <Button variant="subtle" size="xs" onClick={() => onChange({})} mb={2}>
          {search.clear}
        </Button>
      )}
    </fieldset>
  );
}

interface FieldProps {
  field: FilterField;
  chosen: Value | null;
  onChange: (value: Value | null) => void;
}

function FieldSelect({ field: { field, values }, chosen, onChange }: FieldProps) {
  const { search } = useWords().rag;
  const format = useFormat();
  // A chosen value that no document has any more must be seen to be taken back.
  const known = values.some(({ value }) => value === chosen);
  const all = known || chosen === null ? values : [...values, { value: chosen, documents: 0 }];
  // What is another in each document filters nothing that choosing the document would not.
  const held = values.reduce((sum, { documents }) => sum + documents, 0);
  const groups = GENERAL.has(field) || held >= 2 * values.length;
  if (chosen === null && (all.length < 2 || !groups)) return null;
  const name = (value: Value) => {
    if (typeof value === 'boolean') return value ? search.yes : search.no;
    return (field === 'language' && search.languages[value]) || String(value);
  };
  return (
    <Select
      size="xs"
      label={search.fields[field] ?? field}
      placeholder={search.any}
      data={all.map(({ value, documents }) => ({
        value: JSON.stringify(value),
        label: `${name(value)} (${format.count(documents)})`,
      }))}
      value={chosen === null ? null : JSON.stringify(chosen)}
      onChange={(value) => onChange(value === null ? null : (JSON.parse(value) as Value))}
      clearable
      searchable={all.length > 8}
    />
  );
}

interface SourceProps {
  collection: string;
  chosen: string | null;
  onChange: (value: string | null) => void;
}

function SourceSelect({ collection, chosen, onChange }: SourceProps) {
  const { search } = useWords().rag;
  const [words, setWords] = useState('');
  const [sought] = useDebouncedValue(words === chosen ? '' : words, 200);
  const { data = [] } = useQuery(sourcesQuery(collection, sought));
  return (
    <Select
      size="xs"
      label={search.source}
      placeholder={search.sourcePlaceholder}
      data={chosen !== null && !data.includes(chosen) ? [chosen, ...data] : data}
      value={chosen}
      onChange={onChange}
      searchValue={words}
      onSearchChange={setWords}
      // The studio has looked already, in titles too.
      filter={({ options }) => options}
      nothingFoundMessage={search.noneTitle}
      searchable
      clearable
      maxDropdownHeight={280}
    />
  );
}
