/** Several runs at once, over seeds and boards: what they differ in, and what they will be called. */
import {
  Button,
  Card,
  CloseButton,
  Collapse,
  Group,
  Menu,
  Stack,
  Switch,
  Text,
  TextInput,
} from '@mantine/core';
import { useDisclosure, useId } from '@mantine/hooks';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';

import { LONGEST_NAME, nameFault } from '../../ui/names';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Layout } from '../board/board';
import { MiniBoard } from '../board/MiniBoard';
import { BoardCells } from '../board/TrainingBoard';
import { detailsQuery } from '../models/queries';
import {
  learning,
  named,
  namesOf,
  startOf,
  startsFor,
  type NamedBoard,
  type Sweep,
  type SweepFault,
} from './sweep';

const SHOWN = 6;
const BEGUN: Sweep = { seeds: '0, 1, 2', boards: [] };

interface Props {
  base: string;
  /** The name that all of theirs begin with. */
  name: string;
  sweep: Sweep | null;
  fault: SweepFault | null;
  onChange: (sweep: Sweep | null) => void;
}

export function SweepFields({ base, name, sweep, fault, onChange }: Props) {
  const words = useWords().runs.sweep;
  const format = useFormat();
  const layout = useQuery({ ...detailsQuery(base), enabled: base !== '' && sweep !== null }).data?.board;
  const names = sweep ? namesOf(name || words.unnamed, sweep) : [];
  return (
    <fieldset className="plain">
      <Text component="legend" fw={600}>
        {words.fields}
      </Text>
      <Text size="sm" c="dimmed" mb="sm">
        {words.hint}
      </Text>
      <Switch
        label={words.use}
        checked={sweep !== null}
        onChange={(event) => onChange(event.currentTarget.checked ? BEGUN : null)}
      />
      {sweep && (
        <Stack mt="md" gap="md">
          <TextInput
            maw={400}
            label={words.seeds}
            description={words.seedsHint}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            value={sweep.seeds}
            onChange={(event) => onChange({ ...sweep, seeds: event.currentTarget.value })}
            error={fault === 'seeds' && words.faults.seeds}
            inputMode="numeric"
            autoComplete="off"
          />
          {layout && (
            <Boards layout={layout} sweep={sweep} onChange={(boards) => onChange({ ...sweep, boards })} />
          )}
          <Text size="sm" className="words" role="status">
            {fault === null || fault === 'names' ? words.runs(format.count(names.length)) : ''}{' '}
            {fault === null && names.slice(0, SHOWN).join(', ')}
            {fault === null && names.length > SHOWN && ' …'}
            {fault !== null && fault !== 'seeds' && (
              <Text span inherit c="var(--mantine-color-error)">
                {words.faults[fault]}
              </Text>
            )}
          </Text>
        </Stack>
      )}
    </fieldset>
  );
}

interface BoardsProps {
  layout: Layout;
  sweep: Sweep;
  onChange: (boards: readonly NamedBoard[]) => void;
}

function Boards({ layout, sweep: { boards }, onChange }: BoardsProps) {
  const words = useWords().runs.sweep;
  const free = (name: string) => {
    const taken = new Set(boards.map((board) => board.name));
    for (let number = 1; ; number += 1) {
      const next = number === 1 ? name : `${name}${number}`;
      if (!taken.has(next)) return next;
    }
  };
  return (
    <div>
      <Group justify="space-between" mb={boards.length ? 'xs' : 0}>
        <div>
          <Text size="sm" fw={600}>
            {words.boards}
          </Text>
          <Text size="xs" c="dimmed">
            {words.boardsHint}
          </Text>
        </div>
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <Button variant="default" size="compact-sm" leftSection={<IconPlus size={14} aria-hidden />}>
              {words.add}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {startsFor(layout).map((start) => (
              <Menu.Item
                key={start}
                onClick={() => onChange([...boards, named(free(start), startOf(start, layout))])}
              >
                {words.starts[start]}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </Group>
      <Stack gap="sm">
        {boards.map((board) => (
          <OneBoard
            key={board.key}
            board={board}
            layout={layout}
            onChange={(next) => onChange(boards.map((one) => (one === board ? next : one)))}
            onRemove={() => onChange(boards.filter((one) => one !== board))}
          />
        ))}
      </Stack>
    </div>
  );
}

interface OneProps {
  board: NamedBoard;
  layout: Layout;
  onChange: (board: NamedBoard) => void;
  onRemove: () => void;
}

function OneBoard({ board, layout, onChange, onRemove }: OneProps) {
  const { jobs, runs } = useWords();
  const { sweep: words } = runs;
  const format = useFormat();
  const [opened, { toggle }] = useDisclosure();
  const id = useId();
  const { name, rows } = board;
  const fault = nameFault(name);
  return (
    <Card withBorder padding="sm" radius="md">
      <Group wrap="nowrap" align="center" gap="sm">
        <MiniBoard
          rows={rows}
          label={words.learning(format.count(learning(rows)), format.count(rows.flat().length))}
        />
        <TextInput
          flex={1}
          miw={0}
          aria-label={words.boardName}
          value={name}
          onChange={(event) => onChange({ ...board, name: event.currentTarget.value })}
          error={fault && jobs.nameFaults[fault]}
          maxLength={LONGEST_NAME}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
        />
        <Button
          variant="default"
          size="compact-sm"
          flex="none"
          onClick={toggle}
          aria-expanded={opened}
          aria-controls={id}
        >
          {words.cells}
        </Button>
        <CloseButton flex="none" onClick={onRemove} aria-label={words.remove(name)} />
      </Group>
      <Collapse expanded={opened} id={id}>
        <div style={{ paddingBlockStart: '0.75rem' }}>
          <BoardCells
            label={name}
            layout={layout}
            board={rows}
            onChange={(next) => onChange({ ...board, rows: next })}
          />
        </div>
      </Collapse>
    </Card>
  );
}
