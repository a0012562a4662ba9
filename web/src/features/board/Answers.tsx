/** Two answers to one question: what the board is held against, and what it does. */
import { Badge, Group, Text, VisuallyHidden } from '@mantine/core';

import { Segments } from '../../ui/Segments';
import { ProblemAlert } from '../../ui/ProblemAlert';
import { useWords } from '../../words';
import classes from './board.module.css';
import { differences } from './marks';
import type { Gains } from './setting';
import { useLiveAnswer, type LiveAnswer } from './useLiveAnswer';

export type Reference = 'base' | 'trained' | 'other';

interface Props {
  model: string;
  question: string;
  gains: Gains;
  /** What `gains` can be held against; null where it has no such thing. */
  references: Readonly<Record<Reference, Gains | null>>;
  reference: Reference;
  onReference: (reference: Reference) => void;
  /** Names of the setting that is turned and of the other one. */
  names: readonly [string, string];
}

export function Answers({ model, question, gains, references, reference, onReference, names }: Props) {
  const { board: words } = useWords();
  const left = useLiveAnswer(model, question, references[reference]);
  const right = useLiveAnswer(model, question, gains);
  const choices = [
    { value: 'base' as const, label: words.references.base },
    { value: 'trained' as const, label: words.references.trained },
    { value: 'other' as const, label: words.setting(names[1]) },
  ];
  const compared = left.state === 'done' && right.state === 'done';
  const isSame = compared && left.text === right.text;
  return (
    <section>
      <Group mb="sm" gap="sm">
        <Text size="sm">{words.against}</Text>
        <Segments
          label={words.against}
          value={reference}
          onChange={onReference}
          data={choices.filter(({ value }) => references[value] !== null)}
        />
      </Group>
      <div className={classes.answers}>
        <Answer
          title={reference === 'other' ? words.setting(names[1]) : words.references[reference]}
          answer={left}
        />
        <Answer
          title={words.setting(names[0])}
          answer={right}
          reference={compared || right.state === 'coming' ? left.text : null}
        />
      </div>
      {/* Told once an answer is whole, not word by word. */}
      <VisuallyHidden role="status">
        {compared && (isSame ? words.same : `${words.differs} ${right.text}`)}
      </VisuallyHidden>
      <Text size="sm" c="dimmed" mt="xs" mih="1.6em" aria-hidden>
        {isSame && left.text !== '' && words.same}
      </Text>
    </section>
  );
}

function Answer({
  title,
  answer,
  reference = null,
}: {
  title: string;
  answer: LiveAnswer;
  reference?: string | null;
}) {
  const { board: words } = useWords();
  return (
    <div className="card">
      <Group justify="space-between" mb="xs">
        <Text fw={600}>{title}</Text>
        {(answer.state === 'waiting' || answer.state === 'coming') && (
          <Badge variant="light">{words.answering}</Badge>
        )}
      </Group>
      {answer.error ? (
        <ProblemAlert error={answer.error} />
      ) : (
        <div
          className={classes.answer}
          data-old={answer.state === 'waiting' || undefined}
          role="group"
          aria-label={title}
          tabIndex={0}
        >
          {reference === null
            ? answer.text
            : differences(reference, answer.text).map(({ text, isNew }, at) =>
                isNew ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
              )}
          {answer.state === 'idle' && <Text c="dimmed">{words.nothingAsked}</Text>}
        </div>
      )}
    </div>
  );
}
