/** A modal dialog. Mantine's own puts its title into a <header>, which counts as a second banner of the page. */
import { Group, Modal } from '@mantine/core';
import type { ReactNode } from 'react';

import { useWords } from '../words';
import { useFocusBack } from './opener';

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  size?: string;
  /** False where what it shows is lost once it is closed: only a button of its own closes it then. */
  closable?: boolean;
  children: ReactNode;
}

export function Dialog({ opened, onClose, title, size = 'md', closable = true, children }: Props) {
  const { jobs } = useWords();
  useFocusBack(opened);
  return (
    <Modal.Root
      opened={opened}
      onClose={onClose}
      size={size}
      centered
      closeOnClickOutside={closable}
      closeOnEscape={closable}
    >
      <Modal.Overlay />
      <Modal.Content radius="lg">
        <Group justify="space-between" wrap="nowrap" p="lg" pb={closable ? 'xs' : 'md'}>
          <Modal.Title fw={650} fz="lg" className="words">
            {title}
          </Modal.Title>
          {closable && <Modal.CloseButton aria-label={jobs.close} />}
        </Group>
        <Modal.Body p="lg" pt={0}>
          {children}
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
