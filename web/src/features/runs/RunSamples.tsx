/** What the goal's prompts were answered on the way, the newest step first. */
import { Text } from '@mantine/core';

import type { Run } from '../../api/queries';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import classes from './RunSamples.module.css';

export function RunSamples({ run }: { run: Run }) {
  const { runs: words } = useWords();
  const format = useFormat();
  const answers = run.answers ?? [];
  if (answers.length === 0) return null;
  const steps = [...new Set(answers.map(({ step }) => step))].reverse();
  return (
    <section className="card">
      <Text component="h2" size="sm" fw={600}>
        {words.samples.title}
      </Text>
      <Text size="xs" c="dimmed">
        {words.samples.hint}
      </Text>
      <div className={classes.steps} tabIndex={0} role="region" aria-label={words.samples.title}>
        {steps.map((step) => (
          <div key={step}>
            <Text component="h3" size="xs" fw={600} className="figures">
              {words.samples.step(format.count(step))}
            </Text>
            <dl className={classes.answers}>
              {answers
                .filter((one) => one.step === step)
                .map(({ prompt, answer }, place) => (
                  <div key={place}>
                    <dt className="words">{prompt}</dt>
                    <dd className="words">{answer || words.samples.empty}</dd>
                  </div>
                ))}
            </dl>
          </div>
        ))}
      </div>
    </section>
  );
}
