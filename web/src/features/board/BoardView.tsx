/** `/models/$name/board`: where and how strongly a variant's adapters act, turned while the answer follows. */
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
import { boardOf, uniform, type Board, type Layout } from './board';
import { BoardActions } from './BoardActions';
import { Cells } from './Cells';
import { Curves } from './Curves';
import { EffectPart } from './EffectPart';
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
  return (
    <Page title={words.title} part={name} back={back} lead={words.lead}>
      {found.error ? (
        <ProblemAlert error={found.error} />
      ) : !data ? (
        <Loading rows={2} height={200} />
      ) : data.board && data.variant.adapters.length ? (
        <Table key={data.variant.id} details={data} layout={data.board} />
      ) : (
        <Text>{words.none}</Text>
      )}
    </Page>
  );
}

interface Settings {
  a: Board;
  b: Board;
  shown: 'a' | 'b';
}

function Table({ details, layout }: { details: Details; layout: Layout }) {
  const { board: words } = useWords();
  const [own] = details.variant.adapters;
  const original = boardOf(layout, own?.gain, own?.board);
  const { value, set, undo, redo } = useHistory<Settings>({ a: original, b: uniform(layout, 1), shown: 'a' });
  const [typed, setTyped] = useState('');
  const [question, setQuestion] = useState('');
  const [reference, setReference] = useState<Reference>('base');
  const { shown } = value;
  const hidden = shown === 'a' ? 'b' : 'a';
  const board = value[shown];
  const change = (next: Board, by: string | null = null) =>
    set({ ...value, [shown]: next }, by && `${shown} ${by}`);
  const swap = () => set({ ...value, shown: hidden });
  useHotkeys([
    ['X', swap],
    ['mod+Z', () => undo?.()],
    ['mod+shift+Z', () => redo?.()],
  ]);
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
        board={board}
        other={value[hidden]}
        reference={reference}
        onReference={setReference}
        names={[shown.toUpperCase(), hidden.toUpperCase()]}
      />
      <Group gap="md">
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
        <Text size="sm" c="dimmed">
          {words.keys}
        </Text>
      </Group>
      {isSmooth ? (
        <Curves board={board} layout={layout} onChange={change} />
      ) : (
        <Cells board={board} layout={layout} onChange={change} />
      )}
      <BoardActions
        details={details}
        layout={layout}
        board={board}
        original={original}
        undo={undo}
        redo={redo}
        onChange={change}
      />
      <EffectPart variant={details.variant.name} layout={layout} />
      <ScoreForm variant={details.variant.name} board={board} />
    </>
  );
}
