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
};
