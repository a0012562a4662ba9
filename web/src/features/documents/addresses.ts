/** Addresses as people paste them: one a line, or with blanks between. */
export function addressesIn(text: string): string[] {
  return [...new Set(text.split(/\s+/).filter(Boolean))];
}

/** The first that is no address of the web, or null. */
export function badAddress(addresses: readonly string[]): string | null {
  return addresses.find((one) => !isAddress(one)) ?? null;
}

export function isAddress(text: string): boolean {
  try {
    const { protocol, hostname } = new URL(text);
    return /^https?:\/\//i.test(text) && (protocol === 'http:' || protocol === 'https:') && hostname !== '';
  } catch {
    return false;
  }
}

/** On Unix or Windows: which of them the studio runs on, the page does not know. */
export function isAbsolute(path: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\)/.test(path.trim());
}
