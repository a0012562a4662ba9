export const forecast = {
  title: 'Forecast',
  hint: 'Time and memory before you start. This machine is measured for some seconds; other devices follow from published figures.',
  submit: 'Estimate',
  outdated: 'The recipe or the examples have changed since.',
  table: 'Time and memory by device',
  device: 'Device',
  here: 'This machine',
  precision: 'Computes in',
  processor: 'Processor time',
  clock: 'By the clock',
  memory: 'Peak memory',
  of: (peak: string, capacity: string) => `${peak} of ${capacity}`,
  fits: 'Fits',
  tooLarge: 'Does not fit',
  days: (days: string) => `${days} days`,
  summary: (rows: string, steps: string, tokens: string) =>
    `${rows} rows · ${steps} steps · ${tokens} tokens`,
  long: (device: string, days: string) => `${device}: ${days} days.`,
  pretraining: (device: string, days: string) => `${device}: ${days} days. This is pretraining, not tuning.`,
  oneDay: (some: string, rows: string) => `One day is enough for ${some} of the ${rows} rows.`,
  wouldFit: (device: string) => `What would fit on ${device}`,
  leftOut: (rows: string) => `without the ${rows} longer rows`,
  take: 'Take it',
  ofEach: (runs: string) =>
    `Each of the ${runs} runs takes about that; on several boards, the heaviest is forecast.`,
  refused: (peak: string, capacity: string) =>
    `By the forecast this does not fit here: it needs ${peak}, and this machine has ${capacity}.`,
  refusedHint:
    'What would fit stands in the forecast. Started all the same, it may be stopped for want of memory, and slow down whatever else runs here.',
  longHint: 'Fewer rows or epochs, or a smaller base, make it shorter. It can be paused and goes on later.',
  nothing: 'No recipe fits there: a smaller base would.',
};
