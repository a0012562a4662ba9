import { useWords, type Words } from '../../words';
import { useFormat } from '../../words/format';
import type { DataSet, Made } from './queries';

/** How a set came to be, in a few words. */
export function useOrigin(): (set: Pick<DataSet, 'made'>) => string {
  const { made: words, ...data } = useWords().data;
  const format = useFormat();
  return ({ made }) => {
    if (made?.shaped) return words.shaped(made.shaped.source);
    if (made?.mixed) return words.mixed(format.count(made.mixed.parts.length));
    if (made?.split) return words.split(partName(made.part ?? '', data.split.parts), made.split.source);
    return words.brought;
  };
}

/** The name of a part: the usual ones have words. */
export function partName(part: string, words: Words['data']['split']['parts']): string {
  const known: Record<string, string> = words;
  return known[part] ?? part;
}

/** Samples, where the set's making has counted them. */
export function samplesOf(made: Made | null): number | null {
  if (made?.shaped) return made.shaped.samples;
  if (made?.mixed) return made.mixed.samples;
  return made?.split?.parts.find(({ name }) => name === made.part)?.samples ?? null;
}
