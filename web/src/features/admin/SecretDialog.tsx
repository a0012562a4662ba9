/** A secret, once. A stray click beside it must not close it, since nobody can show it again. */
import { Alert, Button, CopyButton, Group, Stack, Text } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

import { Dialog } from '../../ui/Dialog';
import { useWords } from '../../words';
import classes from './Keys.module.css';
import type { KeyWithSecret } from './keys';

interface Props {
  made: KeyWithSecret;
  /** It took the place of another secret. */
  renewed?: boolean;
  /** The page speaks with it already. */
  adopted?: boolean;
  onClose: () => void;
}

export function SecretDialog({ made, renewed = false, adopted = false, onClose }: Props) {
  const { secret: words } = useWords().keys;
  return (
    <Dialog opened onClose={onClose} title={words.title(made.key.name)} size="lg" closable={false}>
      <Stack gap="md">
        <Alert color="yellow" title={words.once} className="notice">
          <Text size="sm">
            {words.onceHint} {renewed && words.ended} {adopted && words.adopted}
          </Text>
        </Alert>
        <code className={classes.secret} aria-label={words.label} data-autofocus tabIndex={0}>
          {made.secret}
        </code>
        <Group justify="space-between">
          <CopyButton value={made.secret} timeout={4000}>
            {({ copied, copy }) => (
              <Button
                onClick={copy}
                leftSection={
                  copied ? <IconCheck size={18} aria-hidden /> : <IconCopy size={18} aria-hidden />
                }
              >
                {copied ? words.copied : words.copy}
              </Button>
            )}
          </CopyButton>
          <Button variant="default" onClick={onClose}>
            {words.done}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
