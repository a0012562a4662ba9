/** What is counted and drawn of a run. */
export const curves = {
  figures: {
    step: 'Step',
    of: (step: string, total: string) => `${step} of ${total}`,
    epoch: 'Epoch',
    loss: 'Loss',
    heldOut: 'Held-out loss',
    rate: 'Learning rate',
    speed: 'Tokens a second',
    memory: 'Memory',
    left: 'Time left',
    tokens: 'Tokens seen',
    took: 'It took',
    samples: 'Examples',
    data: 'Data fingerprint',
    computed: 'Computed in',
  },
  chart: {
    title: 'Loss',
    summary: (name: string, first: string, last: string, steps: string) =>
      `${name}: loss from ${first} to ${last} over ${steps} steps.`,
    unit: 'nats a token',
    none: 'The first step has not been made yet.',
    table: 'The numbers as a table',
    training: 'What is learned',
    heldOut: 'Held-out set',
  },
  curves: {
    title: 'Along the way',
    summary: (name: string, low: string, high: string, now: string) =>
      `${name}: between ${low} and ${high}, ${now} at the newest step.`,
    range: (low: string, high: string) => `${low} to ${high}`,
  },
  discard: {
    submit: 'Discard its checkpoints',
    title: 'Discard what this run could go on from?',
    hint: 'Its checkpoints and what it has learned so far go. The data, the recipe and the curves stay, and it can be started again from the beginning.',
  },
};
