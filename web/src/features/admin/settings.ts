/** The settings that hold, by revision, and an edit of them that survives somebody else's. */
import { queryOptions } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';

export type Settings = components['schemas']['SettingsRevision'];
export type Field = Exclude<keyof Settings, 'revision' | 'created_at'>;

export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: async () => body(await api.GET('/api/admin/settings')),
});

export interface Edit {
  /** The revision that the draft stands on. */
  base: Settings;
  draft: Settings;
  /** What somebody else has changed since the edit began; empty where nobody has. */
  theirs: readonly Field[];
}

export const editOf = (settings: Settings): Edit => ({ base: settings, draft: settings, theirs: [] });

/** The fields in which two settings differ. */
export function differing(one: Settings, other: Settings): Field[] {
  const names = Object.keys({ ...one, ...other }) as (keyof Settings)[];
  return names.filter(
    (name): name is Field =>
      name !== 'revision' &&
      name !== 'created_at' &&
      JSON.stringify(one[name] ?? null) !== JSON.stringify(other[name] ?? null),
  );
}

/** The same edit on newer settings: what was entered stays, everything else is theirs. */
export function rebase({ base, draft, theirs }: Edit, newest: Settings): Edit {
  const mine = differing(draft, base);
  const kept = { ...newest, ...pick(draft, mine) };
  if (mine.length === 0) return editOf(newest);
  return { base: newest, draft: kept, theirs: [...new Set([...theirs, ...differing(newest, base)])] };
}

function pick(settings: Settings, names: readonly Field[]): Partial<Settings> {
  return Object.fromEntries(names.map((name) => [name, settings[name]]));
}

/** Only what was changed is sent, and against the revision that it was changed from. */
export async function save({ base, draft }: Edit): Promise<Settings> {
  return change(pick(draft, differing(draft, base)), base.revision);
}

/** @throws ProblemError 409 where `revision` is not the newest any more. */
export async function change(fields: Partial<Settings>, revision: Settings['revision']): Promise<Settings> {
  // The generated type asks for every field that has a default; the studio keeps those that are left out.
  const sent = { ...fields, revision: revision ?? null } as Settings;
  return body(await api.PUT('/api/admin/settings', { body: sent }));
}
