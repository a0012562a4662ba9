/** The log of what happened: asked for page by page, told in sentences. */
import { infiniteQueryOptions } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';
import type { Words } from '../../words';
import type { Format } from '../../words/format';

export type Event = components['schemas']['Event'];

export const KINDS = ['key', 'settings', 'model', 'variant', 'run', 'job', 'access'] as const;
export type Kind = (typeof KINDS)[number];

export const isKind = (value: unknown): value is Kind => KINDS.includes(value as Kind);

const PAGE = 50;

export const logQuery = (kind: Kind | undefined) =>
  infiniteQueryOptions({
    queryKey: ['events', kind ?? null],
    queryFn: async ({ pageParam }) =>
      body(
        await api.GET('/api/admin/events', {
          params: {
            query: {
              limit: PAGE,
              ...(kind === undefined ? {} : { kind }),
              ...(pageParam === undefined ? {} : { before: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (last: Event[]) => (last.length < PAGE ? undefined : last.at(-1)?.id),
  });

interface Telling {
  words: Words;
  format: Format;
  shown: (field: string, value: unknown) => string;
}

/** One event as a sentence; a kind that this page does not know is told by its name. */
export function sentence({ kind, details }: Event, telling: Telling): string {
  const { log, jobs, shell } = telling.words;
  const said = log.sentences;
  const text = (field: string) => (typeof details[field] === 'string' ? details[field] : '');
  const name = text('name');
  const kinds: Record<string, string> = jobs.kinds;
  const job = kinds[text('kind')] ?? text('kind');
  const reasons: Record<string, string> = log.reasons;
  const tell: Record<string, () => string> = {
    'key.created': () => said.keyCreated(name, shell.roles[text('role') === 'admin' ? 'admin' : 'user']),
    'key.renewed': () => said.keyRenewed(name),
    'key.changed': () => said.keyChanged(name, changes(details, telling)),
    'key.revoked': () => said.keyRevoked(name),
    'key.expired': () => said.keyExpired(name),
    'settings.changed': () => said.settingsChanged(changes(details, telling)),
    'model.pulled': () => said.modelPulled(name, text('source')),
    'model.renamed': () => said.modelRenamed(text('before'), name),
    'model.removed': () => said.modelRemoved(name),
    'adapter.registered': () => said.adapterRegistered(name),
    'variant.created': () => said.variantCreated(name),
    'run.started': () => said.runStarted,
    'job.succeeded': () => said.jobSucceeded(job),
    'job.failed': () => said.jobFailed(job),
    'job.cancelled': () => said.jobCancelled(job),
    'job.lost': () => said.jobLost(job),
    'access.refused': () =>
      said.accessRefused(reasons[text('reason')] ?? text('reason'), `${text('method')} ${text('path')}`) +
      unwritten(details, telling),
  };
  return tell[kind]?.() ?? kind;
}

/** Who did it; empty where nobody did, such as for a key that expired. */
export function doer({ details }: Event, { shell }: Words): string {
  const by = details['by'] as { key_id?: string | null; name?: string } | null | undefined;
  if (!by) return '';
  return by.key_id ? (by.name ?? '') : shell.owner;
}

function changes(details: Event['details'], { words, format, shown }: Telling): string {
  const names: Record<string, string> = { ...words.admin.fields, ...words.log.fields };
  const value = (field: string, what: unknown) => {
    if (field === 'expires_at') return typeof what === 'string' ? format.moment(what) : words.log.expiryNever;
    if (field === 'role') return words.shell.roles[what === 'admin' ? 'admin' : 'user'];
    return shorten(shown(field, what));
  };
  return Object.entries((details['changes'] ?? {}) as Record<string, { before?: unknown; after?: unknown }>)
    .map(([field, { before, after }]) =>
      words.log.changed(names[field] ?? field, value(field, before), value(field, after)),
    )
    .join(', ');
}

function unwritten({ unwritten: count }: Event['details'], { words, format }: Telling): string {
  return typeof count === 'number' && count > 0 ? `, ${words.log.unwritten(format.count(count))}` : '';
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** What an event holds, flat: `by.name` beside `path`. */
export function flat(details: unknown, prefix = ''): [string, string][] {
  if (typeof details !== 'object' || details === null) return [[prefix, String(details)]];
  return Object.entries(details).flatMap(([key, value]) => flat(value, prefix ? `${prefix}.${key}` : key));
}

/** Events in their order, under the day on which they happened where the page is. */
export function byDay(events: readonly Event[], format: Format): [string, Event[]][] {
  const days: [string, Event[]][] = [];
  for (const event of events) {
    const day = format.day(event.created_at);
    const last = days.at(-1);
    if (last?.[0] === day) last[1].push(event);
    else days.push([day, [event]]);
  }
  return days;
}
