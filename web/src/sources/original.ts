/** A document as it came: at its own address, and its bytes from the studio. */
import { send } from '../api/client';
import { connection } from '../api/connection';

export const originalPath = (document: string) => `/api/documents/${document}/original`;

/** Where the document stands on the web, if that is where it came from. */
export function addressOf(source: string): string | null {
  return /^https?:\/\//i.test(source) && URL.canParse(source) ? source : null;
}

/** Whether the browser can ask for the bytes by itself: a link sends no key. */
export const isLinkable = (): boolean => connection().key === '' && connection().address === '';

export async function saveOriginal(document: string, source: string): Promise<void> {
  const response = await send(originalPath(document));
  const address = URL.createObjectURL(await response.blob());
  const link = window.document.createElement('a');
  link.href = address;
  link.download = source.split('/').findLast(Boolean) ?? 'document';
  link.click();
  URL.revokeObjectURL(address);
}
