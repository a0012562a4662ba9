/** What can be done with a collection as a whole: behind one press, for administrators. */
import { ActionIcon, Menu } from '@mantine/core';
import { IconDots, IconPencil, IconStack2, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';

import { useIsAdmin } from '../../api/me';
import { useWords } from '../../words';
import { EmbedDialog } from './EmbedDialog';
import type { Collection } from './queries';
import { RemoveCollectionDialog } from './RemoveCollectionDialog';
import { RenameDialog } from './RenameDialog';

export function CollectionActions({ collection }: { collection: Collection }) {
  const { documents: words } = useWords();
  const isAdmin = useIsAdmin();
  const [asked, setAsked] = useState<'rename' | 'embed' | 'remove' | null>(null);
  const close = () => setAsked(null);
  if (!isAdmin) return null;
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={words.more(collection.name)}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setAsked('rename')}>
            {words.rename.button}
          </Menu.Item>
          <Menu.Item leftSection={<IconStack2 size={16} aria-hidden />} onClick={() => setAsked('embed')}>
            {words.embed.button}
          </Menu.Item>
          <Menu.Item
            c="var(--mantine-color-error)"
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={() => setAsked('remove')}
          >
            {words.removeCollection.button}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asked === 'rename' && <RenameDialog collection={collection} onClose={close} />}
      {asked === 'embed' && <EmbedDialog collection={collection} onClose={close} />}
      {asked === 'remove' && <RemoveCollectionDialog collection={collection} onClose={close} />}
    </>
  );
}
