/** A small button below a message, with its name as a hint. */
import { ActionIcon, CopyButton, Tooltip, type ActionIconProps } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import { useWords } from '../../words';

interface Props extends ActionIconProps {
  label: string;
  /** Where the name alone does not say what will happen. */
  hint?: string;
  /** For a button that stays pressed. */
  pressed?: boolean;
  onClick: () => void;
  children: ReactNode;
}

export function Act({ label, hint, pressed, onClick, children, ...rest }: Props) {
  return (
    <Tooltip label={hint ?? label} multiline maw={260} openDelay={300}>
      <ActionIcon
        variant={pressed ? 'light' : 'subtle'}
        color={pressed ? 'cyan' : 'gray'}
        size={28}
        onClick={onClick}
        aria-label={label}
        aria-pressed={pressed}
        {...rest}
      >
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

export function CopyAct({ text, label }: { text: string; label: string }) {
  const { chat } = useWords();
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Act label={label} hint={copied ? chat.messages.copied : label} onClick={copy}>
          {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
        </Act>
      )}
    </CopyButton>
  );
}
