/** One number among the settings; its limits and default are the studio's. */
import { NumberInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { rulesQuery } from '../../api/rules';
import { useWords } from '../../words';
import type { SettingsEdit } from './useEdit';

type Name =
  | 'temperature'
  | 'top_p'
  | 'max_tokens'
  | 'answer_seconds'
  | 'concurrency'
  | 'queue_length'
  | 'requests_per_client'
  | 'requests_per_minute'
  | 'batch_size'
  | 'memory_budget_mib';

interface Props {
  name: Name;
  edit: SettingsEdit;
  /** For fractions; whole numbers otherwise. */
  step?: number;
  /** What an empty field means; without it, an empty field takes the default. */
  empty?: string;
}

export function NumberSetting({ name, edit, step, empty }: Props) {
  const { fields, explain, answers } = useWords().admin;
  const rule = useQuery(rulesQuery('SettingsRevision')).data?.[name];
  const standard = rule?.default;
  const { base, draft, changed, theirs, write } = edit;
  const disputed = changed.includes(name) && theirs.includes(name);
  return (
    <NumberInput
      label={fields[name]}
      description={explain[name]}
      inputWrapperOrder={['label', 'input', 'error', 'description']}
      placeholder={empty ?? (typeof standard === 'number' ? answers.byDefault(String(standard)) : '')}
      value={draft[name] ?? ''}
      onChange={(value) => {
        if (typeof value === 'number') write({ [name]: value });
        else if (value === '')
          write({ [name]: empty === undefined ? ((standard as number) ?? draft[name]) : null });
      }}
      error={disputed && answers.theirs(String(base[name] ?? empty))}
      step={step ?? 1}
      allowDecimal={step !== undefined}
      min={rule?.minimum ?? 0}
      {...(rule?.maximum === undefined ? {} : { max: rule.maximum })}
    />
  );
}
