/** `/admin`: the settings of answers and load. */
import { useQuery } from '@tanstack/react-query';

import { useMe } from '../../api/me';
import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { Section } from './Section';
import { settingsQuery } from './settings';
import { SettingsFacts } from './SettingsFacts';
import { SettingsForm } from './SettingsForm';

export function SettingsView() {
  const { answers } = useWords().admin;
  const { data, error } = useQuery(settingsQuery);
  const me = useMe();
  const lead = me?.role === 'user' ? `${answers.lead} ${answers.readOnly}` : answers.lead;
  return (
    <Section title={answers.title} lead={lead}>
      {error ? <ProblemAlert error={error} /> : !(data && me) && <Loading rows={2} height={220} />}
      {data && me?.role === 'admin' && <SettingsForm settings={data} />}
      {data && me?.role === 'user' && <SettingsFacts settings={data} />}
    </Section>
  );
}
