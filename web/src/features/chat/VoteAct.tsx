/** "This one was better", below each of two answers side by side. */
import { IconTrophy, IconTrophyFilled } from '@tabler/icons-react';

import { useWords } from '../../words';
import { Act } from './Act';
import { useVote } from './lessons';

interface Props {
  messageId: string;
  /** The answer beside the kept one. */
  other: string;
  otherVariant: string;
  /** Whose button this is. */
  side: 'kept' | 'other';
}

export function VoteAct({ messageId, other, otherVariant, side }: Props) {
  const { chat } = useWords();
  const { better, vote } = useVote(messageId, other, otherVariant);
  const pressed = better === side;
  const Icon = pressed ? IconTrophyFilled : IconTrophy;
  return (
    <Act
      label={chat.beside.better}
      hint={chat.beside.betterHint}
      pressed={pressed}
      onClick={() => vote(pressed ? null : side)}
    >
      <Icon size={16} aria-hidden />
    </Act>
  );
}
