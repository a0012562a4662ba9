/** Save or discard an edit of the settings; it stays in reach while something waits. */
import { Button, Group, Text } from '@mantine/core';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './admin.module.css';
import type { SettingsEdit } from './useEdit';

export function SaveBar({ edit }: { edit: SettingsEdit }) {
  const { answers: words } = useWords().admin;
  const format = useFormat();
  const { base, changed } = edit;
  const waiting = changed.length > 0;
  const made = base.created_at ? ` · ${format.moment(base.created_at)}` : '';
  return (
    <Group className={classes.bar ?? ''} gap="sm" data-changed={waiting || undefined}>
      <Button type="submit" loading={edit.saving} disabled={!waiting}>
        {words.save}
      </Button>
      {waiting && (
        <Button variant="default" onClick={edit.discard}>
          {words.discard}
        </Button>
      )}
      <Text size="sm" c="dimmed" role="status" className="figures">
        {waiting
          ? words.unsaved(format.count(changed.length))
          : words.revision(format.count(base.revision ?? 0)) + made}
      </Text>
    </Group>
  );
}
