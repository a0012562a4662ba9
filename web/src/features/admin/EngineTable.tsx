/** Loaded models; those that are idle can be unloaded. */
import { Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';

import { ConfirmButton } from '../../ui/ConfirmButton';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { RowTable } from '../../ui/RowTable';
import classes from '../../ui/Table.module.css';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { MIB, useUnload, type Engine } from './engines';

export function EngineTable({ engines }: { engines: readonly Engine[] }) {
  const { columns } = useWords().admin.memory;
  return (
    <RowTable
      columns={[columns.model, columns.engine, columns.memory, columns.state, columns.since]}
      actions={columns.actions}
    >
      {engines.map((engine) => (
        <Row key={engine.id} of={engine} />
      ))}
    </RowTable>
  );
}

function Row({ of: engine }: { of: Engine }) {
  const { admin, jobs } = useWords();
  const { memory: words } = admin;
  const { columns } = words;
  const format = useFormat();
  const unload = useUnload(engine.id, () =>
    notifications.show({
      message: words.unloaded(engine.model),
      closeButtonProps: { 'aria-label': jobs.close },
    }),
  );
  const states: Record<string, string> = words.states;
  const state =
    engine.state === 'busy'
      ? words.answering(format.count(engine.requests))
      : (states[engine.state] ?? engine.state);
  return (
    <tr>
      <th scope="row" className="words">
        {engine.model}
        {unload.error && <ProblemAlert error={unload.error} />}
      </th>
      <td data-label={columns.engine}>
        <span>
          {words.engines[engine.kind]}
          {engine.precision && (
            <Text span inherit c="dimmed">
              {` · ${engine.precision}`}
            </Text>
          )}
        </span>
      </td>
      <td data-label={columns.memory} className="figures">
        <span>
          {format.bytes(engine.reserved_mib * MIB)}
          {engine.memory_mib !== null && (
            <Text size="xs" c="dimmed">
              {words.measured(format.bytes(engine.memory_mib * MIB))}
            </Text>
          )}
        </span>
      </td>
      <td data-label={columns.state} className="figures">
        {state}
      </td>
      <td data-label={columns.since} className="figures">
        {engine.since ? <span title={format.moment(engine.since)}>{format.ago(engine.since)}</span> : '–'}
      </td>
      <td className={classes.actions}>
        {engine.state === 'idle' && (
          <ConfirmButton
            size="compact-sm"
            title={words.unloadTitle(engine.model)}
            hint={words.unloadHint}
            confirm={words.unload}
            label={`${words.unload}: ${engine.model}`}
            loading={unload.isPending}
            onConfirm={() => unload.mutate()}
          >
            {words.unload}
          </ConfirmButton>
        )}
      </td>
    </tr>
  );
}
