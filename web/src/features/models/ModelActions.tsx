/** What can be done with a variant: talk to it, set it beside its base, and the rest behind one more press. */
import { ActionIcon, Menu } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import {
  IconAdjustments,
  IconColumns2,
  IconDots,
  IconFileExport,
  IconMessage,
  IconPencil,
  IconPin,
  IconPlus,
  IconTrash,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { useIsAdmin } from '../../api/me';
import { isBase, type BaseEntry, type Variant } from '../../api/queries';
import { Dialog } from '../../ui/Dialog';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { ButtonLink } from '../../ui/links';
import { useWords } from '../../words';
import { useMakeUsual } from './queries';
import { RemoveDialog } from './RemoveDialog';
import { RenameDialog } from './RenameDialog';

interface Props {
  variant: Variant;
  entry: BaseEntry | undefined;
  baseName: string;
  /** The name of the variant that answers by default. */
  usual: string | undefined;
  onNew: () => void;
}

export function ModelActions({ variant, entry, baseName, usual, onNew }: Props) {
  const { models: words, board, exporting } = useWords();
  const isAdmin = useIsAdmin();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<'rename' | 'remove' | null>(null);
  const makeUsual = useMakeUsual();
  const isZero = isBase(variant);
  const close = () => setAsked(null);
  const hasNew = (entry?.adapters.length ?? 0) > 0;
  return (
    <>
      <ButtonLink
        to="/chat"
        search={{ variant: variant.name }}
        leftSection={<IconMessage size={18} aria-hidden />}
      >
        {words.openChat}
      </ButtonLink>
      {!isZero && (
        <ButtonLink
          to="/chat"
          search={{ variant: variant.name, beside: baseName }}
          variant="default"
          leftSection={<IconColumns2 size={18} aria-hidden />}
          title={words.besideHint}
        >
          {words.beside}
        </ButtonLink>
      )}
      {entry?.base.format !== 'remote' && (
        <ButtonLink
          to="/models/$name/board"
          params={{ name: variant.name }}
          variant="default"
          leftSection={<IconAdjustments size={18} aria-hidden />}
        >
          {board.open}
        </ButtonLink>
      )}
      {(isAdmin || hasNew) && (
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon variant="default" size={36} aria-label={words.more(variant.name)}>
              <IconDots size={18} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {hasNew && (
              <Menu.Item leftSection={<IconPlus size={16} aria-hidden />} onClick={onNew}>
                {isZero ? words.newVariant : words.create.from}
              </Menu.Item>
            )}
            {isAdmin && (
              <>
                {entry?.base.format !== 'remote' && (
                  <Menu.Item
                    leftSection={<IconFileExport size={16} aria-hidden />}
                    onClick={() =>
                      void navigate({ to: '/models/$name/export', params: { name: variant.name } })
                    }
                  >
                    {exporting.title}
                  </Menu.Item>
                )}
                <Menu.Item
                  leftSection={<IconPin size={16} aria-hidden />}
                  disabled={usual === variant.name}
                  onClick={() =>
                    makeUsual.mutate(variant.name, {
                      onSuccess: () => notifications.show({ message: words.madeUsual(variant.name) }),
                    })
                  }
                >
                  {words.makeUsual}
                </Menu.Item>
                <Menu.Item
                  leftSection={<IconPencil size={16} aria-hidden />}
                  onClick={() => setAsked('rename')}
                >
                  {words.rename.button}
                </Menu.Item>
                <Menu.Item
                  c="var(--mantine-color-error)"
                  leftSection={<IconTrash size={16} aria-hidden />}
                  onClick={() => setAsked('remove')}
                >
                  {words.remove.button}
                </Menu.Item>
              </>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
      {asked === 'rename' && <RenameDialog name={variant.name} onClose={close} />}
      {asked === 'remove' && entry && (
        <RemoveDialog variant={variant} entry={entry} isUsual={usual === variant.name} onClose={close} />
      )}
      <Dialog opened={makeUsual.isError} onClose={makeUsual.reset} title={words.makeUsual}>
        <ProblemAlert error={makeUsual.error} />
      </Dialog>
    </>
  );
}
