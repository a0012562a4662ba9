/** `/admin/memory`: which models are loaded, how much room there is, and how much there may be. */
import { Text, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconCpu } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { FormEvent } from 'react';

import { EmptyState } from '../../ui/EmptyState';
import { Loading } from '../../ui/Loading';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { EngineTable } from './EngineTable';
import { enginesQuery, MIB, share, type Engines } from './engines';
import classes from './Memory.module.css';
import { NumberSetting } from './NumberSetting';
import { Part } from './Part';
import { SaveBar } from './SaveBar';
import { AdminsOnly, Section } from './Section';
import { settingsQuery, type Settings } from './settings';
import { useEdit } from './useEdit';

export function MemoryView() {
  const { memory } = useWords().admin;
  return (
    <AdminsOnly title={memory.title}>
      <Memory />
    </AdminsOnly>
  );
}

function Memory() {
  const { memory: words } = useWords().admin;
  const { data, error } = useQuery(enginesQuery);
  const settings = useQuery(settingsQuery);
  return (
    <Section title={words.title} lead={words.lead}>
      {error ? <ProblemAlert error={error} /> : !data && <Loading rows={2} height={96} />}
      {data && (
        <>
          <Room of={data} />
          <section>
            <Title order={2} size="h5" mb="sm">
              {words.loaded}
            </Title>
            {data.engines.length === 0 ? (
              <div className="card">
                <EmptyState icon={<IconCpu size={28} />} title={words.none} hint={words.noneHint} />
              </div>
            ) : (
              <EngineTable engines={data.engines} />
            )}
          </section>
        </>
      )}
      {settings.data && <Budget settings={settings.data} />}
    </Section>
  );
}

function Room({ of: engines }: { of: Engines }) {
  const { memory: words } = useWords().admin;
  const format = useFormat();
  const [reserved, budget, total] = [engines.reserved_mib, engines.budget_mib, engines.total_mib].map((mib) =>
    format.bytes(mib * MIB),
  );
  const used = words.used(reserved ?? '', budget ?? '');
  return (
    <section className="card">
      <div className={classes.figures}>
        <Text size="sm" fw={500}>
          {words.reserved}
        </Text>
        <Text size="lg" fw={650} className="figures">
          {used}
        </Text>
      </div>
      <div
        className={classes.bar}
        role="meter"
        aria-label={words.reserved}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share(engines) * 100)}
        aria-valuetext={used}
      >
        <div style={{ inlineSize: `${share(engines) * 100}%` }} />
      </div>
      <Text size="sm" c="dimmed" mt="xs">
        {words.machine(total ?? '')}
      </Text>
    </section>
  );
}

function Budget({ settings }: { settings: Settings }) {
  const { admin, jobs } = useWords();
  const edit = useEdit('memory', settings, () =>
    notifications.show({ message: admin.answers.saved, closeButtonProps: { 'aria-label': jobs.close } }),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (edit.changed.length > 0) edit.save();
  };
  return (
    <form onSubmit={submit}>
      <Part title={admin.memory.budget} hint={admin.memory.budgetHint}>
        <NumberSetting name="memory_budget_mib" edit={edit} empty={admin.memory.budgetByDefault} />
        {edit.error && <ProblemAlert error={edit.error} />}
      </Part>
      <SaveBar edit={edit} />
    </form>
  );
}
