/** The files of a job with what became of each; what went wrong with one stands below it. */
import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';

import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { FileLines } from './FileLines';
import { filesQuery, type IngestedFile } from './queries';

interface Props {
  job: string;
  /** Only the files that it happened to. */
  outcome?: IngestedFile['outcome'];
  label: string;
}

export function FilesOfJob({ job, outcome, label }: Props) {
  const { documents } = useWords();
  const { job: words, list } = documents;
  const format = useFormat();
  const files = useInfiniteQuery(filesQuery(job, outcome));
  if (files.error) return <ProblemAlert error={files.error} />;
  if (!files.data) return <Loading rows={1} height={28} />;
  const lines = files.data.pages.flatMap((page) =>
    page.files.map(({ source, outcome: came, chunks, copied, error }) => {
      const { detail, remedy } = (error ?? {}) as { detail?: string; remedy?: string };
      const facts = [
        words.outcomes[came],
        ...(chunks > 0 ? [documents.passages(format.count(chunks))] : []),
        ...(copied ? [words.copy] : []),
      ];
      return {
        name: source,
        ...(outcome ? {} : { fact: facts.join(' · ') }),
        ...(detail ? { fault: detail, ...(remedy ? { remedy } : {}) } : {}),
      };
    }),
  );
  return (
    <div>
      <FileLines label={label} lines={lines} />
      {files.hasNextPage && (
        <Button
          size="compact-sm"
          variant="subtle"
          ms={-8}
          onClick={() => void files.fetchNextPage()}
          loading={files.isFetchingNextPage}
        >
          {list.more}
        </Button>
      )}
    </div>
  );
}
