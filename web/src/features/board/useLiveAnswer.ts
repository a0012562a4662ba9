/** An answer that is asked for again, shortly after what it depends on has stopped changing. Nothing is kept. */
import { useEffect, useRef, useState } from 'react';

import { streamEvents } from '../../api/events';
import { ProblemError } from '../../api/problem';
import { useSpeech } from '../../words';
import type { Gains } from './setting';

/** Long enough for a dragged cell not to ask for every step of the way. */
const PAUSE_MS = 250;
const LONGEST = 160;

export interface LiveAnswer {
  text: string;
  state: 'idle' | 'waiting' | 'coming' | 'done';
  error: unknown;
}

interface Chunk {
  choices?: { delta?: { content?: string | null }; finish_reason?: string | null }[];
  error?: { message?: string };
}

/** What came, and to which question and gains. */
interface Came extends Omit<LiveAnswer, 'state'> {
  to: string;
  isWhole: boolean;
}

export function useLiveAnswer(model: string, question: string, gains: Gains | null): LiveAnswer {
  const { language } = useSpeech();
  const [came, setCame] = useState<Came>({ to: '', text: '', isWhole: false, error: null });
  const wanted = JSON.stringify([model, question, gains]);
  const first = useRef(true);
  useEffect(() => {
    const [variant, asked, turned] = JSON.parse(wanted) as [string, string, Gains | null];
    if (!asked) return undefined;
    const abort = new AbortController();
    const show = (text: string, isWhole: boolean) => setCame({ to: wanted, text, isWhole, error: null });
    const timer = setTimeout(
      () => {
        follow(variant, asked, turned, language, abort.signal, show).catch((error: unknown) => {
          if (!abort.signal.aborted) setCame({ to: wanted, text: '', isWhole: true, error });
        });
      },
      first.current ? 0 : PAUSE_MS,
    );
    first.current = false;
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [wanted, language]);
  if (question === '') return { text: '', state: 'idle', error: null };
  // What stood there stays, dimmed, until the next one begins.
  if (came.to !== wanted) return { text: came.text, state: 'waiting', error: null };
  return { text: came.text, state: came.isWhole ? 'done' : 'coming', error: came.error };
}

async function follow(
  model: string,
  question: string,
  gains: Gains | null,
  language: string,
  signal: AbortSignal,
  show: (text: string, isWhole: boolean) => void,
): Promise<void> {
  const body = {
    model,
    messages: [{ role: 'user', content: question }],
    stream: true,
    // Only what is turned on the board shall change the answer.
    temperature: 0,
    max_tokens: LONGEST,
    ...(gains === null ? {} : { gains }),
  };
  let text = '';
  for await (const { data } of streamEvents('/v1/chat/completions', { body, signal, language })) {
    const { choices, error } = data as Chunk;
    if (error) throw new ProblemError({ status: 500, detail: error.message ?? '' });
    text += choices?.[0]?.delta?.content ?? '';
    if (signal.aborted) return;
    // After it only the end of the stream follows, which is no JSON.
    const isOver = Boolean(choices?.[0]?.finish_reason);
    show(text, isOver);
    if (isOver) return;
  }
}
