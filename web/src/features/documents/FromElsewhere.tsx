/** Documents that the studio goes for: on the web, and for its owner on its own machine. */
import { Button, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { IconFolderSymlink, IconWorldDownload } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';

import { useMe } from '../../api/me';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { addressesIn, badAddress, isAbsolute } from './addresses';
import { useIngest } from './useIntake';

export function FromElsewhere({ collection, most }: { collection: string; most: number }) {
  const me = useMe();
  return (
    <Stack gap="md">
      <FromWeb collection={collection} most={most} />
      {/* The studio lets only its owner say any path. */}
      {me?.key_id === null && <FromMachine collection={collection} />}
    </Stack>
  );
}

function FromWeb({ collection, most }: { collection: string; most: number }) {
  const { add } = useWords().documents;
  const format = useFormat();
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const ingest = useIngest();
  const urls = addressesIn(text);
  const bad = badAddress(urls);
  const fault = bad !== null ? add.badUrl(bad) : urls.length > most ? add.manyUrls(format.count(most)) : null;
  const submit = (event?: FormEvent) => {
    event?.preventDefault();
    setTried(true);
    if (fault === null && urls.length > 0 && !ingest.isPending)
      ingest.mutate({ collection, urls }, { onSuccess: () => setText('') });
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="flex-end">
        <Textarea
          label={add.urls}
          description={add.urlsHint}
          inputWrapperOrder={['label', 'description', 'input', 'error']}
          placeholder="https://"
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setTried(false);
            if (ingest.error) ingest.reset();
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            submit();
          }}
          error={tried && fault}
          autosize
          minRows={1}
          maxRows={8}
          flex="1 1 16rem"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          inputMode="url"
        />
        <Button
          type="submit"
          variant="default"
          leftSection={<IconWorldDownload size={18} aria-hidden />}
          loading={ingest.isPending}
          disabled={urls.length === 0}
          mb={tried && fault ? 24 : 0}
        >
          {add.fetch}
        </Button>
      </Group>
      {ingest.error && <Problem error={ingest.error} />}
    </form>
  );
}

function FromMachine({ collection }: { collection: string }) {
  const { documents: words } = useWords();
  const { add } = words;
  const [path, setPath] = useState('');
  const ingest = useIngest();
  const bad = path.trim() !== '' && !isAbsolute(path);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ingest.mutate({ collection, path: path.trim() }, { onSuccess: () => setPath('') });
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="flex-end">
        <TextInput
          label={add.path}
          description={add.pathHint}
          inputWrapperOrder={['label', 'description', 'input', 'error']}
          placeholder="/srv/documents"
          value={path}
          onChange={(event) => {
            setPath(event.currentTarget.value);
            if (ingest.error) ingest.reset();
          }}
          error={bad && words.embedder.faults.folder}
          flex="1 1 16rem"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
        />
        <Button
          type="submit"
          variant="default"
          leftSection={<IconFolderSymlink size={18} aria-hidden />}
          loading={ingest.isPending}
          disabled={path.trim() === '' || bad}
          mb={bad ? 24 : 0}
        >
          {add.take}
        </Button>
      </Group>
      {ingest.error && <Problem error={ingest.error} />}
    </form>
  );
}

function Problem({ error }: { error: unknown }) {
  return (
    <div style={{ marginBlockStart: '0.75rem' }}>
      <ProblemAlert error={error} />
    </div>
  );
}
