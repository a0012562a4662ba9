/** The settings for those who may read but not change them. */
import { useWords } from '../../words';
import classes from './admin.module.css';
import type { Field, Settings } from './settings';
import { useShown } from './shown';

const SHOWN: Field[] = [
  'default_variant',
  'system_prompt',
  'temperature',
  'top_p',
  'max_tokens',
  'answer_seconds',
  'concurrency',
  'queue_length',
  'requests_per_client',
  'requests_per_minute',
  'batch_size',
];

export function SettingsFacts({ settings }: { settings: Settings }) {
  const { fields } = useWords().admin;
  const shown = useShown();
  return (
    <dl className={`card ${classes.facts ?? ''}`}>
      {SHOWN.map((field) => (
        <div key={field}>
          <dt>{fields[field]}</dt>
          <dd className="words figures">{shown(field, settings[field])}</dd>
        </div>
      ))}
    </dl>
  );
}
