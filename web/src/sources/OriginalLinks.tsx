/** To the document as it came: its address on the web, its file. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconDownload, IconExternalLink } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';

import { useWords } from '../words';
import { addressOf, isLinkable, originalPath, saveOriginal } from './original';
import type { Document } from './sourced';

export function OriginalLinks({ document }: { document: Pick<Document, 'id' | 'source'> }) {
  const { rag } = useWords();
  const { id, source } = document;
  const address = addressOf(source);
  const saving = useMutation({ mutationFn: () => saveOriginal(id, source) });
  const look = { variant: 'subtle', color: 'gray', size: 32 } as const;
  const name = saving.isError ? rag.source.notSaved : rag.source.original;
  return (
    <>
      {address && (
        <Tooltip label={rag.source.address}>
          <ActionIcon
            {...look}
            component="a"
            href={address}
            target="_blank"
            rel="noopener noreferrer nofollow"
            aria-label={rag.source.address}
          >
            <IconExternalLink size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
      <Tooltip label={name}>
        {isLinkable() ? (
          <ActionIcon {...look} component="a" href={originalPath(id)} download aria-label={name}>
            <IconDownload size={17} aria-hidden />
          </ActionIcon>
        ) : (
          <ActionIcon
            {...look}
            onClick={() => saving.mutate()}
            loading={saving.isPending}
            {...(saving.isError ? { color: 'red' } : {})}
            aria-label={name}
          >
            <IconDownload size={17} aria-hidden />
          </ActionIcon>
        )}
      </Tooltip>
    </>
  );
}
