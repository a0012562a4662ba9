/** The source of an answer beside it: a column at a desk, a sheet over the whole height on a phone. */
import { ActionIcon, Drawer, Group, Title, Tooltip } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconArrowsMaximize, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState, type RefObject } from 'react';

import { useWords } from '../words';
import { OriginalLinks } from './OriginalLinks';
import { whereIs, type Place } from './sourced';
import { SourceFacts } from './SourceFacts';
import classes from './sources.module.css';
import { SourceText } from './SourceText';
import { useSource } from './useSource';

interface Props {
  place: Place;
  onClose: () => void;
}

const BESIDE = '(min-width: 75em)';

export default function SourcePanel(props: Props) {
  const { rag } = useWords();
  const beside = useMediaQuery(BESIDE, undefined, { getInitialValueInEffect: false });
  const column = useRef<HTMLElement>(null);
  const shown = useRef<HTMLDivElement>(null);
  useFocus(props.place, column, shown);
  if (beside)
    return (
      <aside
        ref={column}
        className={classes.column}
        aria-label={rag.source.title}
        tabIndex={-1}
        onKeyDown={({ key }) => {
          if (key === 'Escape') props.onClose();
        }}
      >
        <Content {...props} />
      </aside>
    );
  return (
    <Drawer.Root opened onClose={props.onClose} position="right" size="min(100%, 40rem)" padding={0}>
      <Drawer.Overlay />
      <Drawer.Content aria-label={rag.source.title}>
        <Drawer.Body className={classes.sheet ?? ''}>
          <div ref={shown} className={classes.content}>
            <Content {...props} />
          </div>
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}

/** Into the column when a source is opened, and back to what opened it: the sheet only gives it back, since it
 * takes it by itself. */
function useFocus(
  { document: id, span }: Place,
  column: RefObject<HTMLElement | null>,
  sheet: RefObject<HTMLElement | null>,
): void {
  const [first] = useState(() => document.activeElement);
  const opener = useRef<Element | null>(first);
  useEffect(() => {
    const active = document.activeElement;
    // After a reload nobody has pressed anything: the focus stays where a page begins.
    if (!column.current || !active || active === document.body) return;
    if (!column.current.contains(active)) opener.current = active;
    column.current.focus({ preventScroll: true });
  }, [column, id, span?.start, span?.end]);
  useEffect(() => {
    const here = () => column.current ?? sheet.current;
    const panel = here();
    return () => {
      const active = document.activeElement;
      const lost = !active || active === document.body || panel?.contains(active);
      if (lost && opener.current instanceof HTMLElement) {
        const back = opener.current;
        // What holds the focus within the sheet lets go of it first.
        requestAnimationFrame(() => back.focus({ preventScroll: true }));
      }
    };
  }, [column, sheet]);
}

function Content({ place, onClose }: Props) {
  const { rag, jobs } = useWords();
  const source = useSource(place);
  const { document } = source;
  const { page, path } = document ? whereIs(document, place.span?.start ?? 0) : { page: null, path: [] };
  const look = { variant: 'subtle', color: 'gray', size: 32 } as const;
  return (
    <>
      <div className={classes.head}>
        <Group justify="space-between" wrap="nowrap" align="flex-start" gap="xs">
          <Title order={2} size="h5" className="words" lineClamp={3}>
            {document?.title || document?.source || rag.source.title}
          </Title>
          <Group gap={2} wrap="nowrap">
            {document && (
              <>
                <OriginalLinks document={document} />
                <Tooltip label={rag.source.whole}>
                  <ActionIcon
                    {...look}
                    renderRoot={(props) => (
                      <Link
                        to="/documents/$collection/$document"
                        params={{ collection: document.collection_id, document: document.id }}
                        search={place.span ?? {}}
                        {...props}
                      />
                    )}
                    aria-label={rag.source.whole}
                  >
                    <IconArrowsMaximize size={17} aria-hidden />
                  </ActionIcon>
                </Tooltip>
              </>
            )}
            <Tooltip label={jobs.close}>
              <ActionIcon {...look} onClick={onClose} aria-label={rag.source.close}>
                <IconX size={18} aria-hidden />
              </ActionIcon>
            </Tooltip>
          </Group>
        </Group>
        <SourceFacts page={page} path={path} />
      </div>
      <SourceText place={place} source={source} level={3} />
    </>
  );
}
