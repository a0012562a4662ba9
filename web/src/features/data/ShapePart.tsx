/** Filters and fixes, chosen from what the report found: they make a new set. */
import { Button, Checkbox, Group, Stack, Text, TextInput } from '@mantine/core';
import { IconWand } from '@tabler/icons-react';
import { useState, type FormEvent } from 'react';

import { isOver } from '../../api/queries';
import { Fold } from '../../ui/Fold';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useSpeech } from '../../words';
import { useFormat } from '../../words/format';
import { languageNames } from './languages';
import classes from './DataSet.module.css';
import { NumberField } from './NumberField';
import { Outcome } from './Outcome';
import { Part } from './Part';
import { startShape, useLatest, useStart, type DataSetEntry, type Report } from './queries';
import { choicesOf, rowsOf, shapingOf, USUAL, type Draft, type Droppable } from './shaping';

export function ShapePart({ set, trainable }: { set: DataSetEntry; trainable: boolean }) {
  const { shape: words, train } = useSpeech().words.data;
  const job = useLatest(set.id, 'shape');
  const busy = job !== undefined && !isOver(job.state);
  return (
    <Part id="shape" title={words.title} lead={words.lead}>
      <Stack mt="sm">
        {!trainable && <Text size="sm">{train.shapeFirst}</Text>}
        {job && <Outcome job={job} title={words.result} />}
        {!set.report ? (
          <Text c="dimmed">{words.first}</Text>
        ) : (
          !busy && <ShapeForm key={set.report.fingerprint} set={set} report={set.report} />
        )}
      </Stack>
    </Part>
  );
}

function ShapeForm({ set, report }: { set: DataSetEntry; report: Report }) {
  const { language, words: all } = useSpeech();
  const { shape: words } = all.data;
  const format = useFormat();
  const [draft, setDraft] = useState<Draft>(USUAL);
  const [name, setName] = useState(`${set.name.replace(/\.[A-Za-z0-9]{1,7}$/, '')}.shaped`);
  const start = useStart(() =>
    startShape(set.id, {
      name: name.trim(),
      base: set.checked?.base ?? null,
      max_length: set.checked?.max_length ?? null,
      held_out_id: set.checked?.held_out_id ?? null,
      shaping: shapingOf(draft),
    }),
  );
  const edit = (to: Partial<Draft>) => {
    setDraft({ ...draft, ...to });
    if (start.error) start.reset();
  };
  const toggled = <T,>(list: readonly T[], one: T, on: boolean) =>
    on ? [...list, one] : list.filter((other) => other !== one);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate(undefined);
  };
  const choices = choicesOf(report);
  const counted = (text: string, kind: string) =>
    `${text} · ${words.count(format.count(rowsOf(report, kind)))}`;
  const spoken = report.languages.map((share) => share.name).filter((code) => !['?', 'other'].includes(code));
  const nameOf = languageNames(language);
  const limits = [
    ['shortest', words.shortest, undefined],
    ['longest', words.longest, undefined],
    ['perSource', words.perSource, undefined],
    ['atMost', words.atMost, words.atMostHint],
  ] as const;
  return (
    <form onSubmit={submit}>
      <Stack>
        {choices.length > 0 && (
          <fieldset className="plain">
            <Text component="legend" fw={600} size="sm" mb="xs">
              {words.drop}
            </Text>
            <div className={classes.choices}>
              {choices.map((kind: Droppable) => (
                <Checkbox
                  key={kind}
                  label={counted(words.kinds[kind], kind)}
                  checked={draft.drop.includes(kind) && !(kind === 'personal' && draft.mask)}
                  disabled={kind === 'personal' && draft.mask}
                  onChange={(event) => edit({ drop: toggled(draft.drop, kind, event.currentTarget.checked) })}
                />
              ))}
            </div>
          </fieldset>
        )}
        <fieldset className="plain">
          <Text component="legend" fw={600} size="sm" mb="xs">
            {words.fixes}
          </Text>
          <div className={classes.choices}>
            {rowsOf(report, 'personal') > 0 && (
              <Checkbox
                label={counted(words.mask, 'personal')}
                checked={draft.mask}
                onChange={(event) => edit({ mask: event.currentTarget.checked })}
              />
            )}
            {rowsOf(report, 'role') > 0 && (
              <Checkbox
                label={counted(words.mend, 'role')}
                checked={draft.mend}
                onChange={(event) => edit({ mend: event.currentTarget.checked })}
              />
            )}
            <Checkbox
              label={rowsOf(report, 'untidy') > 0 ? counted(words.tidy, 'untidy') : words.tidy}
              checked={draft.tidy}
              onChange={(event) => edit({ tidy: event.currentTarget.checked })}
            />
            {report.format === 'preference' && (
              <Checkbox
                label={words.rejected}
                checked={draft.rejected}
                onChange={(event) => edit({ rejected: event.currentTarget.checked })}
              />
            )}
          </div>
        </fieldset>
        {spoken.length > 1 && (
          <fieldset className="plain">
            <Text component="legend" fw={600} size="sm" mb={4}>
              {words.languages}
            </Text>
            <Text size="sm" c="dimmed" mb="xs">
              {words.languagesHint}
            </Text>
            <Group>
              {spoken.map((code) => (
                <Checkbox
                  key={code}
                  label={nameOf(code)}
                  checked={draft.languages.includes(code)}
                  onChange={(event) =>
                    edit({ languages: toggled(draft.languages, code, event.currentTarget.checked) })
                  }
                />
              ))}
            </Group>
          </fieldset>
        )}
        <Fold more={words.more} less={words.less}>
          <div className={classes.fields}>
            {limits.map(([field, label, hint]) => (
              <NumberField
                key={field}
                label={label}
                description={hint}
                min={1}
                value={draft[field]}
                onChange={(value) => edit({ [field]: value })}
              />
            ))}
          </div>
        </Fold>
        <TextInput
          maw={400}
          label={words.name}
          value={name}
          maxLength={200}
          autoComplete="off"
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {start.error && <ProblemAlert error={start.error} />}
        <Group>
          <Button
            type="submit"
            leftSection={<IconWand size={18} aria-hidden />}
            loading={start.isPending}
            disabled={name.trim() === ''}
          >
            {words.submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
