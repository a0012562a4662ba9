/** What each cell does: all are turned off one after the other, on samples that somebody brings. */
import { api, body } from '../../api/client';
import { useWords } from '../../words';
import { Evaluation } from '../runs/Evaluation';
import { EffectMap } from './EffectMap';
import type { Layout } from './board';

export function EffectPart({ variant, layout }: { variant: string; layout: Layout }) {
  const { effect: words } = useWords().board;
  return (
    <Evaluation
      kind="effect"
      variant={variant}
      title={words.title}
      hint={words.hint}
      submit={words.start}
      again={words.again}
      onAsk={async (asked) =>
        body(
          await api.POST('/api/evaluation/effects', {
            body: { ...asked, variant, to: 0, max_tokens: 0 },
          }),
        )
      }
      done={(job) => <EffectMap result={job.result} layout={layout} />}
    />
  );
}
