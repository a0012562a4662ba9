/** Files that were chosen or dropped, folders walked, and which of them are worth sending. */
import type { Accepted } from './queries';

export interface Picked {
  file: File;
  /** With the folders that it was found in; the name in its collection. */
  path: string;
}

export interface Refused {
  path: string;
  fault: 'large' | 'unreadable';
}

export interface Sorted {
  taken: readonly Picked[];
  refused: readonly Refused[];
  /** Files of folders that are no documents. */
  leftOut: number;
}

/** Of one request. What breaks off is sent again, so it should not be all. */
const BATCH_BYTES = 512 * 2 ** 20;
/** What a request has beside its files: the headers of their parts. */
const PART_BYTES = 1_000;

/** Old forms are sent all the same, to come back with a word on what to do about them. */
const OLD_ENDINGS = ['.doc', '.ppt', '.xls'];

export function chosen(files: Iterable<File>): Picked[] {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** What was dropped, folders and all. Only the time of the event knows the items: call it then. */
export async function dropped(transfer: DataTransfer): Promise<Picked[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const found = items.map((item) => ({ entry: item.webkitGetAsEntry?.(), file: item.getAsFile() }));
  const picked: Picked[] = [];
  for (const { entry, file } of found) {
    if (entry?.isDirectory) picked.push(...(await walk(entry as FileSystemDirectoryEntry)));
    else if (file) picked.push({ file, path: file.name });
  }
  return picked;
}

async function walk(folder: FileSystemDirectoryEntry): Promise<Picked[]> {
  const reader = folder.createReader();
  const picked: Picked[] = [];
  for (;;) {
    // A hundred at a time, until there are none.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (entries.length === 0) return picked;
    for (const entry of entries) {
      if (entry.isDirectory) {
        if (!isHidden(entry.name)) picked.push(...(await walk(entry as FileSystemDirectoryEntry)));
      } else {
        const file = await new Promise<File>((resolve, reject) =>
          (entry as FileSystemFileEntry).file(resolve, reject),
        );
        picked.push({ file, path: entry.fullPath.replace(/^\//, '') });
      }
    }
  }
}

/** A file that was chosen by itself is sent whatever it is: its content decides. Of folders, documents alone. */
export function sort(
  picked: readonly Picked[],
  { formats, largest_file: largest }: Pick<Accepted, 'formats' | 'largest_file'>,
): Sorted {
  const endings = new Set([...formats.flatMap((format) => format.endings), ...OLD_ENDINGS]);
  const inFolders = (path: string) => path.includes('/');
  const worth = picked.filter(
    ({ path }) => !path.split('/').some(isHidden) && (!inFolders(path) || endings.has(endingOf(path))),
  );
  return {
    taken: worth.filter(({ file }) => file.size <= largest),
    refused: worth.filter(({ file }) => file.size > largest).map(({ path }) => ({ path, fault: 'large' })),
    leftOut: picked.filter(({ path }) => !path.split('/').some(isHidden)).length - worth.length,
  };
}

/** In requests that the studio takes. */
export function batchesOf(
  files: readonly Picked[],
  { largest_upload: largest, most_files: most }: Pick<Accepted, 'largest_upload' | 'most_files'>,
): Picked[][] {
  const batches: Picked[][] = [];
  let bytes = Infinity;
  for (const one of files) {
    const last = batches.at(-1);
    const more = one.file.size + PART_BYTES;
    if (last && last.length < most && bytes + more <= Math.min(largest, BATCH_BYTES)) {
      last.push(one);
      bytes += more;
    } else {
      batches.push([one]);
      bytes = more;
    }
  }
  return batches;
}

/** Those that the browser cannot read any more: moved, changed, or held by another program. */
export async function unreadable(files: readonly Picked[]): Promise<Picked[]> {
  const readable = await Promise.all(
    files.map(({ file }) =>
      file
        .slice(0, 1)
        .arrayBuffer()
        .then(
          () => true,
          () => false,
        ),
    ),
  );
  return files.filter((_, place) => !readable[place]);
}

export function sizeOf(files: readonly Picked[]): number {
  return files.reduce((sum, { file }) => sum + file.size, 0);
}

/** How much of each file has gone, where `sent` bytes of all have: they go one after the other. */
export function sentOf(files: readonly Picked[], sent: number): number[] {
  let before = 0;
  return files.map(({ file }) => {
    const of = Math.min(file.size, Math.max(0, sent - before));
    before += file.size;
    return of;
  });
}

/** As the studio leaves them alone too: hidden ones, and what programs put beside documents. */
function isHidden(name: string): boolean {
  return name.startsWith('.') || name.startsWith('~$') || name === '__MACOSX';
}

function endingOf(path: string): string {
  return /\.[^./]+$/.exec(path)?.[0].toLowerCase() ?? '';
}
