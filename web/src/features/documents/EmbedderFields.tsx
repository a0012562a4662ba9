/** Which embedder makes a collection's vectors, and how exactly they are kept. */
import { NativeSelect, Stack, Switch, TextInput } from '@mantine/core';

import { useWords } from '../../words';
import { isAbsolute, isAddress } from './addresses';

export interface EmbedderDraft {
  kind: 'usual' | 'folder' | 'openai';
  folder: string;
  url: string;
  model: string;
  half: boolean;
}

export const USUAL: EmbedderDraft = { kind: 'usual', folder: '', url: '', model: '', half: false };

/** As the studio writes it; undefined as long as something is missing, null for its own. */
export function addressOf({ kind, folder, url, model }: EmbedderDraft): string | null | undefined {
  if (kind === 'usual') return null;
  if (kind === 'folder') return isAbsolute(folder) ? `folder:${folder.trim()}` : undefined;
  return isAddress(url.trim()) && model.trim() !== '' ? `openai:${url.trim()}#${model.trim()}` : undefined;
}

interface Props {
  draft: EmbedderDraft;
  onChange: (draft: EmbedderDraft) => void;
}

export function EmbedderFields({ draft, onChange }: Props) {
  const { embedder: words } = useWords().documents;
  const change = (to: Partial<EmbedderDraft>) => onChange({ ...draft, ...to });
  const plain = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false } as const;
  return (
    <Stack gap="sm">
      <NativeSelect
        label={words.label}
        description={words.hints[draft.kind]}
        inputWrapperOrder={['label', 'input', 'description']}
        value={draft.kind}
        onChange={(event) => change({ kind: event.currentTarget.value as EmbedderDraft['kind'] })}
        data={(['usual', 'folder', 'openai'] as const).map((value) => ({ value, label: words.kinds[value] }))}
      />
      {draft.kind === 'folder' && (
        <TextInput
          {...plain}
          label={words.folder}
          placeholder="/srv/models/bge-m3"
          value={draft.folder}
          onChange={(event) => change({ folder: event.currentTarget.value })}
          error={draft.folder !== '' && !isAbsolute(draft.folder) && words.faults.folder}
          required
        />
      )}
      {draft.kind === 'openai' && (
        <>
          <TextInput
            {...plain}
            label={words.url}
            placeholder="http://127.0.0.1:8000/v1"
            inputMode="url"
            value={draft.url}
            onChange={(event) => change({ url: event.currentTarget.value })}
            error={/^https?:\/\/|^h?t?t?p?s?:?\/?\/?$/i.test(draft.url.trim()) ? null : words.faults.url}
            required
          />
          <TextInput
            {...plain}
            label={words.model}
            placeholder="BAAI/bge-m3"
            value={draft.model}
            onChange={(event) => change({ model: event.currentTarget.value })}
            required
          />
        </>
      )}
      <Switch
        label={words.half}
        description={words.halfHint}
        checked={draft.half}
        onChange={(event) => change({ half: event.currentTarget.checked })}
      />
    </Stack>
  );
}
