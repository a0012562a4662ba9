/** How the next question is to be answered. Kept while the page lives; what is null follows the studio. */
import { useSyncExternalStore } from 'react';

/** For one answer: who gives it, and how. */
export interface Choice {
  variant: string | null;
  gain: number | null;
  temperature: number | null;
  system: string | null;
  /** The collection whose documents are answered from; null where the model answers alone. */
  documents: string | null;
  /** How an answer from documents is given; null goes by the model's size. */
  form: Form | null;
}

export type Form = 'quote' | 'write';
export type Side = 'main' | 'beside';

interface Choices {
  temperature: number | null;
  system: string | null;
  form: Form | null;
  /** "side variant" → gain; a variant without an entry takes its own. */
  gains: Readonly<Record<string, number>>;
}

let choices: Choices = { temperature: null, system: null, form: null, gains: {} };
const watchers = new Set<() => void>();

function change(next: Partial<Choices>): void {
  choices = { ...choices, ...next };
  watchers.forEach((watcher) => watcher());
}

export function useChoices() {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => choices,
  );
}

const place = (side: Side, variant: string) => `${side} ${variant}`;

export function gainOf(from: Choices, side: Side, variant: string): number | null {
  return from.gains[place(side, variant)] ?? null;
}

export function chooseGain(side: Side, variant: string, gain: number | null): void {
  const { [place(side, variant)]: _, ...others } = choices.gains;
  change({ gains: gain === null ? others : { ...others, [place(side, variant)]: gain } });
}

export const chooseTemperature = (temperature: number | null) => change({ temperature });
export const chooseSystem = (system: string | null) => change({ system });
export const chooseForm = (form: Form | null) => change({ form });
