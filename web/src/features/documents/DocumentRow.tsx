/** One document: what it is, how much of it there is, what can be done with it, and what went wrong. */
import { ActionIcon, Badge, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconDots, IconDownload, IconRefresh, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

import { useIsAdmin } from '../../api/me';
import { ProblemError } from '../../api/problem';
import { saveOriginal } from '../../sources/original';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './DocumentList.module.css';
import type { Document } from './queries';
import { useFormatName } from './useFormats';
import { useIngest } from './useIntake';

interface Props {
  document: Document;
  /** The collection's name. */
  collection: string;
  onRemove: () => void;
}

const COLOURS = { ready: 'teal', failed: 'red', reading: 'cyan' } as const;
const CLASSES = { ready: 'state-succeeded', failed: 'state-failed', reading: '' };

export function DocumentRow({ document, collection, onRemove }: Props) {
  const { documents } = useWords();
  const { list: words } = documents;
  const format = useFormat();
  const formatName = useFormatName();
  const { source, title, origin, state, pages, characters, chunks, updated_at: at } = document;
  const { detail, remedy } = (document.error ?? {}) as { detail?: string; remedy?: string };
  const extent = [
    ...(pages ? [documents.pages(format.count(pages.length))] : []),
    documents.characters(format.count(characters)),
    documents.passages(format.count(chunks)),
  ];
  return (
    <tr>
      <th scope="row">
        {state === 'ready' ? (
          <Link
            to="/documents/$collection/$document"
            params={{ collection, document: document.id }}
            className={`${classes.name ?? ''} words`}
          >
            {title}
          </Link>
        ) : (
          <span className={`${classes.name ?? ''} words`}>{title}</span>
        )}
        <span className={`${classes.source ?? ''} words`}>
          {source !== title && `${source} · `}
          {words.origins[origin]}
        </span>
        {state === 'failed' && (
          <span className={`${classes.fault ?? ''} words`}>
            {detail}
            {remedy && <span className={classes.remedy}>{remedy}</span>}
          </span>
        )}
      </th>
      <td>{state === 'ready' ? formatName(document.media_type) : ''}</td>
      <td className={`${classes.extent ?? ''} figures`}>
        {state === 'ready' && extent.map((part) => <span key={part}>{part}</span>)}
      </td>
      <td className="figures">
        <time dateTime={at} title={format.moment(at)}>
          {format.ago(at)}
        </time>
      </td>
      <td>
        <Badge variant="light" color={COLOURS[state]} className={`state ${CLASSES[state]}`}>
          {words.states[state]}
        </Badge>
      </td>
      <td className={classes.acts}>
        <Acts document={document} collection={collection} onRemove={onRemove} />
      </td>
    </tr>
  );
}

function Acts({ document: { id, source, title, origin, sha256 }, collection, onRemove }: Props) {
  const { list: words } = useWords().documents;
  const isAdmin = useIsAdmin();
  const ingest = useIngest();
  const complain = (error: unknown) =>
    notifications.show({
      color: 'red',
      title: words.away,
      message: error instanceof ProblemError ? error.message : '',
    });
  const hasOriginal = sha256 !== '';
  if (!hasOriginal && origin !== 'url' && !isAdmin) return null;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={32} aria-label={words.act(title)}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {hasOriginal && (
          <Menu.Item
            leftSection={<IconDownload size={16} aria-hidden />}
            onClick={() => void saveOriginal(id, source).catch(complain)}
          >
            {words.original}
          </Menu.Item>
        )}
        {origin === 'url' && (
          <Menu.Item
            leftSection={<IconRefresh size={16} aria-hidden />}
            onClick={() => ingest.mutate({ collection, urls: [source] })}
          >
            {words.refetch}
          </Menu.Item>
        )}
        {isAdmin && (
          <Menu.Item
            c="var(--mantine-color-error)"
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={onRemove}
          >
            {words.remove}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
