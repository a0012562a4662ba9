/** The bytes of a document as they came. */
import { send } from '../../api/client';

/** Fetched here, not by a link: the studio may ask for a key. */
export async function saveOriginal(id: string, name: string): Promise<void> {
  const blob = await (await send(`/api/documents/${id}/original`)).blob();
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken it over by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** What a source calls the file itself: the last part of a path or an address. */
export function fileName(source: string): string {
  return source.replace(/\/+$/, '').split('/').at(-1) || source;
}
