/** The switch between the model alone and the model with documents, and which. */
import { Select } from '@mantine/core';
import { IconFileText, IconFileOff } from '@tabler/icons-react';

import { useWords } from '../../words';
import classes from './chat.module.css';
import type { Conversation } from './useConversation';

const ALONE = 'alone';
/** In front of a collection's name, which may be any word. */
const NAMED = 'in ';

export function DocumentsSelect({ conversation }: { conversation: Conversation }) {
  const { ask } = useWords().rag;
  const { collections, documents, chooseDocuments } = conversation;
  if (collections.length === 0) return null;
  const Icon = documents === null ? IconFileOff : IconFileText;
  return (
    <Select
      size="xs"
      variant="filled"
      className={classes.documents ?? ''}
      data-on={documents !== null || undefined}
      aria-label={ask.label}
      leftSection={<Icon size={15} aria-hidden />}
      data={[
        { group: ask.aloneGroup, items: [{ value: ALONE, label: ask.alone }] },
        { group: ask.documents, items: collections.map((name) => ({ value: NAMED + name, label: name })) },
      ]}
      value={documents === null ? ALONE : NAMED + documents}
      onChange={(value) => chooseDocuments(value?.startsWith(NAMED) ? value.slice(NAMED.length) : false)}
      allowDeselect={false}
      comboboxProps={{ position: 'top-start', width: 260, shadow: 'md' }}
      maxDropdownHeight={280}
    />
  );
}
