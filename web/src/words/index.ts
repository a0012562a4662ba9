/** Every string that people read, in both languages: `useWords()` gives the table of the chosen one, which is the
 * only one that is loaded. */
import { createContext, useContext } from 'react';

import type { en } from './en';

export type Language = 'en' | 'ko';
/** The shape of the table: Korean must have exactly the keys that English has. */
export type Words = Widened<typeof en>;
type Widened<T> = T extends string
  ? string
  : T extends (...values: infer V) => string
    ? (...values: V) => string
    : { [K in keyof T]: Widened<T[K]> };

const tables: Record<Language, () => Promise<Words>> = {
  en: () => import('./en').then(({ en }) => en),
  ko: () => import('./ko').then(({ ko }) => ko),
};

export const loadWords = (language: Language): Promise<Words> => tables[language]();

const KEY = 'twotrack.language';

export function firstLanguage(): Language {
  const kept = localStorage.getItem(KEY);
  if (kept === 'en' || kept === 'ko') return kept;
  return navigator.language.toLowerCase().startsWith('ko') ? 'ko' : 'en';
}

export function keepLanguage(language: Language): void {
  localStorage.setItem(KEY, language);
}

export interface Speech {
  language: Language;
  words: Words;
  setLanguage: (language: Language) => void;
}

export const SpeechContext = createContext<Speech | null>(null);

export function useSpeech(): Speech {
  const speech = useContext(SpeechContext);
  if (!speech) throw new Error('no SpeechContext above this component');
  return speech;
}

export function useWords(): Words {
  return useSpeech().words;
}
