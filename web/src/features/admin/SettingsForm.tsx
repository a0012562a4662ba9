/** What holds for chats without settings of their own, as an administrator changes it. */
import { Alert, List, NativeSelect, SimpleGrid, Switch, Text, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import type { FormEvent } from 'react';

import { modelsQuery } from '../../api/queries';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import classes from './admin.module.css';
import { NumberSetting } from './NumberSetting';
import { Part } from './Part';
import { SaveBar } from './SaveBar';
import type { Field, Settings } from './settings';
import { useShown } from './shown';
import { useEdit, type SettingsEdit } from './useEdit';

export function SettingsForm({ settings }: { settings: Settings }) {
  const { admin, jobs } = useWords();
  const words = admin.answers;
  const edit = useEdit('answers', settings, () =>
    notifications.show({ message: words.saved, closeButtonProps: { 'aria-label': jobs.close } }),
  );
  const { base, changed, theirs } = edit;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (changed.length > 0) edit.save();
  };
  return (
    <form onSubmit={submit} className={classes.form}>
      {theirs.length > 0 && <Theirs settings={base} fields={theirs} />}
      <Part title={words.generation} hint={words.generationHint}>
        <DefaultVariant edit={edit} />
        <Textarea
          label={admin.fields.system_prompt}
          description={admin.explain.system_prompt}
          inputWrapperOrder={['label', 'input', 'error', 'description']}
          value={edit.draft.system_prompt}
          onChange={(event) => edit.write({ system_prompt: event.currentTarget.value })}
          error={
            changed.includes('system_prompt') &&
            theirs.includes('system_prompt') &&
            words.theirs(base.system_prompt || words.empty)
          }
          autosize
          minRows={3}
          maxRows={10}
          maxLength={32_768}
        />
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <NumberSetting name="temperature" edit={edit} step={0.1} />
          <NumberSetting name="top_p" edit={edit} step={0.05} />
          <NumberSetting name="max_tokens" edit={edit} />
          <NumberSetting name="answer_seconds" edit={edit} />
        </SimpleGrid>
        <Switch
          label={admin.fields.learn_from_everybody}
          description={admin.explain.learn_from_everybody}
          checked={edit.draft.learn_from_everybody}
          onChange={(event) => edit.write({ learn_from_everybody: event.currentTarget.checked })}
        />
      </Part>
      <Part title={words.load} hint={words.loadHint}>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <NumberSetting name="concurrency" edit={edit} />
          <NumberSetting name="queue_length" edit={edit} />
          <NumberSetting name="requests_per_client" edit={edit} empty={words.fairShare} />
          <NumberSetting name="requests_per_minute" edit={edit} empty={words.none} />
          <NumberSetting name="batch_size" edit={edit} />
        </SimpleGrid>
      </Part>
      {edit.error && <ProblemAlert error={edit.error} />}
      <SaveBar edit={edit} />
    </form>
  );
}

function DefaultVariant({ edit }: { edit: SettingsEdit }) {
  const { admin } = useWords();
  const variants = (useQuery(modelsQuery).data ?? []).flatMap((entry) => entry.variants);
  const { base, changed, theirs } = edit;
  const disputed = changed.includes('default_variant') && theirs.includes('default_variant');
  return (
    <NativeSelect
      label={admin.fields.default_variant}
      description={admin.explain.default_variant}
      inputWrapperOrder={['label', 'input', 'error', 'description']}
      value={edit.draft.default_variant ?? ''}
      onChange={(event) => edit.write({ default_variant: event.currentTarget.value || null })}
      error={disputed && admin.answers.theirs(base.default_variant ?? admin.answers.oldestBase)}
      data={[
        { value: '', label: admin.answers.oldestBase },
        ...variants.map(({ name }) => ({ value: name, label: name })),
      ]}
    />
  );
}

function Theirs({ settings, fields }: { settings: Settings; fields: readonly Field[] }) {
  const { admin } = useWords();
  const shown = useShown();
  return (
    <Alert color="yellow" role="status" title={admin.answers.conflict} className="words notice">
      <Text size="sm">{admin.answers.conflictHint}</Text>
      <List size="sm" mt="xs">
        {fields.map((field) => (
          <List.Item key={field}>
            {admin.answers.changedTo(admin.fields[field], shown(field, settings[field]))}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
