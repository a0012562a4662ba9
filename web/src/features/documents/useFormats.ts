import { useQuery } from '@tanstack/react-query';

import { useSpeech } from '../../words';
import { acceptedQuery } from './queries';

/** What can be taken in, as one reads it: PDF, Word, … and plain text. */
export function useFormats(): string {
  const { language } = useSpeech();
  const { data } = useQuery(acceptedQuery);
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(
    data?.formats.map(({ name }) => name) ?? [],
  );
}

/** The format's name by its media type. */
export function useFormatName(): (mediaType: string) => string {
  const { data } = useQuery(acceptedQuery);
  return (mediaType) => data?.formats.find((one) => one.media_type === mediaType)?.name ?? '–';
}
