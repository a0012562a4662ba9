/** Where the studio is and with which key it is spoken to: known at run time, so that the same page can be served
 * by the studio itself or by a static host elsewhere. */
const ADDRESS = 'twotrack.address';
const KEY = 'twotrack.key';

/** config.json beside index.html: the studio answers `{"api": ""}`; `twotrack page` writes the address of another. */
export interface PageConfig {
  /** Origin of the studio; empty for the one that served this page. */
  api: string;
  /** Whether its user may say another one. */
  changeable: boolean;
}

export interface Connection {
  /** Without a slash at the end; empty for the studio that served this page. */
  address: string;
  key: string;
}

let config: PageConfig = { api: '', changeable: false };

export const pageConfig = (): PageConfig => config;

/** Once, before the first request. index.html preloads the file, so that this waits for nothing. */
export async function readConfig(): Promise<void> {
  try {
    const response = await fetch('/config.json');
    if (response.ok) config = parseConfig(await response.json());
  } catch {
    // A host without that file, or one that answers with index.html for it.
  }
}

export function parseConfig(value: unknown): PageConfig {
  const { api, changeable } = (value ?? {}) as { api?: unknown; changeable?: unknown };
  return { api: typeof api === 'string' ? (originOf(api) ?? '') : '', changeable: changeable === true };
}

/** `https://host:port` of an address that somebody wrote, or null where it has a path or is none at all. */
export function originOf(text: string): string | null {
  try {
    const url = new URL(text.trim());
    const bare = url.pathname === '/' && !url.search && !url.hash && !url.username && !url.password;
    return bare && (url.protocol === 'https:' || url.protocol === 'http:') ? url.origin : null;
  } catch {
    return null;
  }
}

export function connection(): Connection {
  const chosen = config.changeable ? localStorage.getItem(ADDRESS) : null;
  return {
    address: chosen ?? config.api,
    // For the tab's life only, unless the user asks to be remembered.
    key: sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? '',
  };
}

/** Whether a request can be made at all: a page of a static host may have no studio yet. */
export const hasStudio = (): boolean => !config.changeable || connection().address !== '';

export function connect(next: Connection, remember: boolean): void {
  if (config.changeable) localStorage.setItem(ADDRESS, next.address);
  disconnect();
  if (next.key) (remember ? localStorage : sessionStorage).setItem(KEY, next.key);
}

export function disconnect(): void {
  localStorage.removeItem(KEY);
  sessionStorage.removeItem(KEY);
}

/** Another secret for the same key, kept wherever the one before was. */
export function replaceKey(key: string): void {
  (sessionStorage.getItem(KEY) === null ? localStorage : sessionStorage).setItem(KEY, key);
}
