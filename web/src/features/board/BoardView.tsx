/** `/models/$name/board`: how strongly adapters and the base's own branches act, turned while the answer follows. */
import { Button, Group, Text, TextInput } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';

import { Loading } from '../../ui/Loading';
import { Page } from '../../ui/Page';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { Segments } from '../../ui/Segments';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { detailsQuery, type Details } from '../models/queries';
import { ScoreForm } from '../runs/ScoreForm';
import { Answers, type Reference } from './Answers';
import type { Board } from './board';
import { BoardActions } from './BoardActions';
import { Cells } from './Cells';
import { Curves } from './Curves';
import { EffectPart } from './EffectPart';
import { everywhere, gainsOf, layoutsOf, settingOf, type Layouts, type Setting, type Side } from './setting';
import { useHistory } from './useHistory';

export function BoardView() {
  const { name } = useParams({ from: '/models/$name/board' });
  const { board: words } = useWords();
  const found = useQuery(detailsQuery(name));
  const back = (
    <AnchorLink to="/models/$name" params={{ name }} size="sm">
      ← {name}
    </AnchorLink>
  );
  const { data } = found;
  const layouts = data && layoutsOf(data);
  const lead = layouts?.adapters || !layouts?.base ? words.lead : words.leadBase;
  return (
    <Page title={words.title} part={name} back={back} lead={lead}>
      {found.error ? (
        <ProblemAlert error={found.error} />
      ) : !data || !layouts ? (
        <Loading rows={2} height={200} />
      ) : layouts.adapters || layouts.base ? (
        <Table key={data.variant.id} details={data} layouts={layouts} />
      ) : (
        <Text>{words.none}</Text>
      )}
    </Page>
  );
}

interface Settings {
  a: Setting;
  b: Setting;
  shown: 'a' | 'b';
}

function Table({ details, layouts }: { details: Details; layouts: Layouts }) {
  const { board: words } = useWords();
  const original = settingOf(details, layouts);
  const trained = everywhere(1, layouts);
  const { value, set, undo, redo } = useHistory<Settings>({ a: original, b: trained, shown: 'a' });
  const [side, setSide] = useState<Side>(layouts.adapters ? 'adapters' : 'base');
  const [typed, setTyped] = useState('');
  const [question, setQuestion] = useState('');
  const [reference, setReference] = useState<Reference>('base');
  const { shown } = value;
  const hidden = shown === 'a' ? 'b' : 'a';
  const setting = value[shown];
  const layout = layouts[side];
  const board = setting[side];
  const hasOwn = details.variant.base_board != null;
  const change = (next: Board, by: string | null = null) =>
    set({ ...value, [shown]: { ...setting, [side]: next } }, by && `${shown} ${side} ${by}`);
  const swap = () => set({ ...value, shown: hidden });
  useHotkeys([
    ['X', swap],
    ['mod+Z', () => undo?.()],
    ['mod+shift+Z', () => redo?.()],
  ]);
  if (!layout || !board) return null;
  const isSmooth = board.expansion === 'smooth';
  return (
    <>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setQuestion(typed.trim());
        }}
      >
        <Group align="flex-end" gap="sm">
          <TextInput
            label={words.question}
            placeholder={words.example}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            maxLength={4000}
            flex="1 1 16rem"
          />
          <Button type="submit" disabled={typed.trim() === '' || typed.trim() === question}>
            {words.ask}
          </Button>
        </Group>
      </form>
      <Answers
        model={details.variant.name}
        question={question}
        gains={gainsOf(setting, hasOwn)}
        references={{
          base: gainsOf(everywhere(0, layouts), hasOwn),
          trained: layouts.adapters && gainsOf(trained, hasOwn),
          other: gainsOf(value[hidden], hasOwn),
        }}
        reference={reference}
        onReference={setReference}
        names={[shown.toUpperCase(), hidden.toUpperCase()]}
      />
      <Group gap="md">
        {layouts.adapters && layouts.base && (
          <Segments
            label={words.whose}
            value={side}
            onChange={setSide}
            data={[
              { value: 'adapters', label: words.sides.adapters },
              { value: 'base', label: words.sides.base },
            ]}
          />
        )}
        <Segments
          label={words.settings}
          value={shown}
          onChange={(next) => next !== shown && swap()}
          data={[
            { value: 'a', label: words.setting('A') },
            { value: 'b', label: words.setting('B') },
          ]}
        />
        <Segments
          label={words.form}
          value={board.expansion}
          onChange={(expansion) => change({ cells: board.cells, expansion })}
          data={[
            { value: 'step', label: words.step },
            { value: 'smooth', label: words.smooth },
          ]}
        />
        <Text size="sm" c="dimmed" visibleFrom="sm">
          {words.keys}
        </Text>
      </Group>
      {side === 'base' && layouts.adapters && (
        <Text size="sm" c="dimmed">
          {words.leadBase}
        </Text>
      )}
      {isSmooth ? (
        <Curves board={board} layout={layout} onChange={change} />
      ) : (
        <Cells board={board} layout={layout} onChange={change} />
      )}
      <BoardActions
        details={details}
        layout={layout}
        board={board}
        original={original[side] ?? board}
        setting={setting}
        undo={undo}
        redo={redo}
        onChange={change}
      />
      <EffectPart variant={details.variant.name} layout={layouts.adapters ?? layout} />
      {setting.adapters && <ScoreForm variant={details.variant.name} board={setting.adapters} />}
    </>
  );
}
