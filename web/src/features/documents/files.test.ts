import { expect, it } from 'vitest';

import { batchesOf, chosen, dropped, sentOf, sort, unreadable, type Picked } from './files';

const MIB = 2 ** 20;
const FORMATS = [
  { name: 'PDF', media_type: 'application/pdf', endings: ['.pdf'] },
  { name: 'text', media_type: 'text/plain', endings: ['.txt', '.log'] },
];
const of = (path: string, size = 1): Picked => {
  const file = new File(['x'], path.split('/').at(-1) ?? '');
  Object.defineProperty(file, 'size', { value: size });
  return { file, path };
};
const sorted = (...picked: Picked[]) => sort(picked, { formats: FORMATS, largest_file: 200 * MIB });
const paths = (picked: readonly Picked[]) => picked.map(({ path }) => path);

it('sends a file that was chosen by itself, whatever it is called', () => {
  const { taken, leftOut } = sorted(of('README'), of('photo.jpg'), of('a.pdf'));
  expect(paths(taken)).toEqual(['README', 'photo.jpg', 'a.pdf']);
  expect(leftOut).toBe(0);
});

it('takes of a folder what is a document, old forms included, and counts the rest', () => {
  const { taken, leftOut } = sorted(
    of('f/a.PDF'),
    of('f/b.jpg'),
    of('f/old.doc'),
    of('f/.git/config.txt'),
    of('f/~$a.txt'),
    of('f/deep/c.log'),
  );
  expect(paths(taken)).toEqual(['f/a.PDF', 'f/old.doc', 'f/deep/c.log']);
  expect(leftOut).toBe(1);
});

it('refuses what the studio would refuse after it had come', () => {
  const { taken, refused } = sorted(of('a.pdf', 200 * MIB), of('b.pdf', 200 * MIB + 1));
  expect(paths(taken)).toEqual(['a.pdf']);
  expect(refused).toEqual([{ path: 'b.pdf', fault: 'large' }]);
});

it('splits what is too much for one request, and loses nothing', () => {
  const files = Array.from({ length: 7 }, (_, place) => of(`${place}.pdf`, 200 * MIB));
  const batches = batchesOf(files, { largest_upload: 2048 * MIB, most_files: 2000 });
  expect(batches.map((batch) => batch.length)).toEqual([2, 2, 2, 1]);
  expect(batches.flat()).toEqual(files);
  expect(batchesOf(files, { largest_upload: 2048 * MIB, most_files: 1 })).toHaveLength(7);
  expect(batchesOf([], { largest_upload: 1, most_files: 1 })).toEqual([]);
});

it('knows how much of each file has gone', () => {
  const files = [of('a', 10), of('b', 0), of('c', 30)];
  expect(sentOf(files, 0)).toEqual([0, 0, 0]);
  expect(sentOf(files, 15)).toEqual([10, 0, 5]);
  expect(sentOf(files, 99)).toEqual([10, 0, 30]);
});

it('finds the files that cannot be read any more', async () => {
  const gone = of('gone.pdf');
  gone.file.slice = () =>
    ({ arrayBuffer: () => Promise.reject(new DOMException('', 'NotFoundError')) }) as Blob;
  expect(paths(await unreadable([of('there.pdf'), gone]))).toEqual(['gone.pdf']);
});

it('keeps the folders of chosen files in their names', () => {
  const file = new File([''], 'a.pdf');
  Object.defineProperty(file, 'webkitRelativePath', { value: 'reports/2026/a.pdf' });
  expect(paths(chosen([file, new File([''], 'b.pdf')]))).toEqual(['reports/2026/a.pdf', 'b.pdf']);
});

it('walks dropped folders to their end, a hundred entries at a time', async () => {
  const entryOf = (path: string) => ({
    isDirectory: false,
    name: path.split('/').at(-1),
    fullPath: path,
    file: (resolve: (file: File) => void) => resolve(new File([''], path)),
  });
  const folderOf = (path: string, ...pages: object[][]) => ({
    isDirectory: true,
    name: path.split('/').at(-1),
    fullPath: path,
    createReader: () => ({
      readEntries: (resolve: (found: object[]) => void) => resolve(pages.shift() ?? []),
    }),
  });
  const folder = folderOf(
    '/f',
    [entryOf('/f/a.pdf'), folderOf('/f/sub', [entryOf('/f/sub/b.pdf')])],
    [entryOf('/f/c.pdf')],
    [],
  );
  const loose = new File([''], 'd.pdf');
  const items = [
    { kind: 'string' },
    { kind: 'file', getAsFile: () => null, webkitGetAsEntry: () => folder },
    { kind: 'file', getAsFile: () => loose, webkitGetAsEntry: () => entryOf('/d.pdf') },
  ];
  const found = await dropped({ items } as unknown as DataTransfer);
  expect(paths(found)).toEqual(['f/a.pdf', 'f/sub/b.pdf', 'f/c.pdf', 'd.pdf']);
});
