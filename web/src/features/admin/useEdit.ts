/** The edit of the settings, through looks at other views and other people's changes. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { hasStatus } from '../../api/problem';
import { differing, editOf, rebase, save, settingsQuery, type Edit, type Settings } from './settings';

/** A part of the settings with an edit of its own: what waits in one is not saved with the other. */
export type Slot = 'answers' | 'memory';

const kept = new Map<Slot, Edit>();

export function useEdit(slot: Slot, settings: Settings, onSaved: () => void) {
  const client = useQueryClient();
  const [edit, set] = useState(() => {
    const before = kept.get(slot);
    return before ? rebase(before, settings) : editOf(settings);
  });
  useEffect(() => {
    kept.set(slot, edit);
  }, [slot, edit]);
  if ((settings.revision ?? 0) > (edit.base.revision ?? 0)) set(rebase(edit, settings));
  const saving = useMutation({
    mutationFn: () => save(edit),
    onSuccess: (saved) => {
      set(editOf(saved));
      client.setQueryData(settingsQuery.queryKey, saved);
      onSaved();
    },
    onError: (error) => {
      // The newer settings come in from below, and the edit moves on top of them.
      if (hasStatus(error, 409)) void client.invalidateQueries(settingsQuery);
    },
  });
  return {
    draft: edit.draft,
    base: edit.base,
    changed: differing(edit.draft, edit.base),
    theirs: edit.theirs,
    write: (fields: Partial<Settings>) => set({ ...edit, draft: { ...edit.draft, ...fields } }),
    discard: () => set(editOf(edit.base)),
    save: () => saving.mutate(),
    saving: saving.isPending,
    error: hasStatus(saving.error, 409) ? null : saving.error,
  };
}

export type SettingsEdit = ReturnType<typeof useEdit>;
