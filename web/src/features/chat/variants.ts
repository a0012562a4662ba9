/** Who can answer. */
import { useQuery } from '@tanstack/react-query';

import { modelsQuery, type BaseEntry } from '../../api/queries';
import type { Form } from './choices';
import { settingsQuery } from './queries';

export interface Answerer {
  name: string;
  base: string;
  /** Its own gain where it has adapters, else null: a base has nothing to turn. */
  gain: number | null;
  /** Whether its own gains are a board, in whose place one number can be asked for. */
  hasBoard: boolean;
  /** How many it has, where that is known. */
  parameters: number | null;
}

/** From so many parameters on the studio lets a model write from documents by itself. */
const WRITERS = 1_000_000_000;

export const writes = ({ parameters }: Answerer, form: Form | null): boolean =>
  form === null ? (parameters ?? 0) >= WRITERS : form === 'write';

export function answerersOf(models: readonly BaseEntry[]): Answerer[] {
  return models.flatMap(({ base, variants }) =>
    variants
      .map(({ name, adapters }) => ({
        name,
        base: base.name,
        gain: adapters[0]?.gain ?? null,
        hasBoard: adapters.some(({ board }) => board),
        parameters: base.parameters,
      }))
      .sort((a, b) => Number(a.gain !== null) - Number(b.gain !== null)),
  );
}

/** All who can answer, and the one that does when none is chosen. */
export function useAnswerers() {
  const models = useQuery(modelsQuery);
  const settings = useQuery(settingsQuery);
  const answerers = answerersOf(models.data ?? []);
  const oldest = [...(models.data ?? [])].sort((a, b) =>
    a.base.created_at.localeCompare(b.base.created_at),
  )[0];
  const named = settings.data?.default_variant ?? oldest?.base.name ?? null;
  const usual = answerers.some(({ name }) => name === named) ? named : (answerers[0]?.name ?? null);
  return { answerers, usual, settings: settings.data, pending: models.isPending, error: models.error };
}
