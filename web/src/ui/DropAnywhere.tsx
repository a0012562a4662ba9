/** Files may be dropped anywhere on the view: what says so while they are held over it. */
import { Text } from '@mantine/core';
import { IconFileDownload } from '@tabler/icons-react';
import { useEffect, useEffectEvent, useState } from 'react';

import classes from './DropAnywhere.module.css';

interface Props {
  /** What happens when they are let go. */
  says: string;
  onDrop: (transfer: DataTransfer) => void;
}

export function DropAnywhere({ says, onDrop }: Props) {
  const [over, setOver] = useState(false);
  const take = useEffectEvent(onDrop);
  useEffect(() => {
    const stop = new AbortController();
    const listen = (name: 'dragover' | 'dragleave' | 'drop', heard: (event: DragEvent) => void) =>
      window.addEventListener(
        name,
        (event) => {
          if (event.dataTransfer?.types.includes('Files')) heard(event);
        },
        { signal: stop.signal },
      );
    listen('dragover', (event) => {
      event.preventDefault();
      setOver(true);
    });
    // Out of the window there is nothing that one comes to.
    listen('dragleave', (event) => setOver(event.relatedTarget !== null));
    listen('drop', (event) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer) take(event.dataTransfer);
    });
    return () => stop.abort();
  }, []);
  if (!over) return null;
  return (
    <div className={classes.cover}>
      <div className={classes.say}>
        <IconFileDownload size={40} aria-hidden />
        <Text fw={650} size="lg" className="words">
          {says}
        </Text>
      </div>
    </div>
  );
}
