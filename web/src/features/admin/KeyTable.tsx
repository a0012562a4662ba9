/** Keys as a table; on a phone each row becomes a card with its own labels. */
import { Badge, Code, Text } from '@mantine/core';

import { useMe } from '../../api/me';
import { RowTable } from '../../ui/RowTable';
import classes from '../../ui/Table.module.css';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { KeyActions } from './KeyActions';
import type { Key } from './keys';

export function KeyTable({ keys }: { keys: readonly Key[] }) {
  const { columns } = useWords().keys;
  return (
    <RowTable
      columns={[columns.name, columns.role, columns.hint, columns.used, columns.expires]}
      actions={columns.actions}
    >
      {keys.map((key) => (
        <Row key={key.id} of={key} />
      ))}
    </RowTable>
  );
}

function Row({ of: key }: { of: Key }) {
  const { keys: words, shell } = useWords();
  const { columns } = words;
  const format = useFormat();
  const me = useMe();
  return (
    <tr>
      <th scope="row" className="words">
        {key.name}
        {me?.key_id === key.id && (
          <Badge variant="light" size="sm" ml={8}>
            {words.mine}
          </Badge>
        )}
      </th>
      <td data-label={columns.role}>{shell.roles[key.role]}</td>
      <td data-label={columns.hint}>
        <Code>…{key.hint}</Code>
      </td>
      <td data-label={columns.used} className="figures">
        {key.last_used_at ? (
          <span title={format.moment(key.last_used_at)}>{format.ago(key.last_used_at)}</span>
        ) : (
          <Text span inherit c="dimmed">
            {words.neverUsed}
          </Text>
        )}
      </td>
      <td data-label={columns.expires} className="figures">
        <Expiry of={key} />
      </td>
      <td className={classes.actions}>{key.state !== 'revoked' && <KeyActions of={key} />}</td>
    </tr>
  );
}

function Expiry({ of: key }: { of: Key }) {
  const { keys: words } = useWords();
  const format = useFormat();
  if (key.revoked_at) return words.revokedOn(format.date(key.revoked_at));
  if (key.state === 'expired')
    return (
      <Badge variant="light" color="red">
        {words.states.expired}
      </Badge>
    );
  if (!key.expires_at)
    return (
      <Text span inherit c="dimmed">
        {words.never}
      </Text>
    );
  return <span title={format.moment(key.expires_at)}>{format.date(key.expires_at)}</span>;
}
