/** Of several runs that are started together. */
const count = (number: string, what: string) => `${number} ${what}${number === '1' ? '' : 's'}`;

export const sweep = {
  fields: 'Several runs',
  hint: 'The same recipe with several seeds, on several boards, or both: to see which setting does better, and how much of it is chance.',
  use: 'Start several runs to compare',
  unnamed: 'name',
  seeds: 'Seeds',
  seedsHint: 'With commas between: one run for each. Left empty, the recipe’s own seed.',
  boards: 'Boards',
  boardsHint: 'One run for each seed on each board. Without any: the recipe’s own.',
  add: 'Add a board',
  starts: {
    all: 'Everything learns',
    upper: 'The upper half, near the output',
    lower: 'The lower half, near the input',
    attention: 'Attention alone',
    mlp: 'MLP alone',
  },
  boardName: 'Name of the board',
  cells: 'Cells',
  learning: (learning: string, cells: string) => `${learning} of ${cells} cells learn`,
  remove: (name: string) => `Take out the board ${name}`,
  runs: (runs: string) => `${count(runs, 'run')}:`,
  faults: {
    seeds: 'Whole numbers from 0, each once.',
    nothing: 'Name seeds, or add a board.',
    boards: 'Each board needs a name of letters, digits, Hangul and - _ . :',
    twice: 'Two boards have the same name.',
    frozen: 'On one of the boards every cell is frozen: nothing would be learned.',
    many: 'That is more than 32 runs.',
    names: 'One of their names is taken already, or too long. Choose another name above.',
  },
  submit: 'Start all of them',
  partOf: 'part of a sweep',
  title: (name: string) => `Sweep: ${name}`,
  lead: (runs: string, done: string) => `${count(runs, 'run')}, ${done} done`,
  cancel: 'Cancel the sweep',
  cancelTitle: 'Cancel all of it?',
  cancelHint:
    'Runs that wait or train stop, and what those have learned is thrown away. What is done stays, and so do runs that are paused.',
  compare: 'Which did better',
  measures: { heldOut: 'Held-out loss at the end', loss: 'Loss at the end' },
  nats: 'nats a token: lower is better',
  caution: 'No held-out set: this is the loss on what was learned, and lower may only mean learned by heart.',
  setting: 'Board',
  seedsOnly: 'All seeds',
  spread: 'Runs, and their mean',
  mean: 'Mean',
  range: 'From–to',
  of: (done: string, runs: string) => `${done} of ${runs} done`,
  verdicts: {
    nothing: 'No run is done yet.',
    waits: 'The others have no result yet.',
    seeds: (mean: string, low: string, high: string, runs: string) =>
      `${mean} on average over ${count(runs, 'run')}, from ${low} to ${high}: so much the seed alone changes.`,
    one: (mean: string) => `${mean} with one seed. What the seed changes shows with more of them.`,
    best: (best: string, mean: string, next: string, other: string) =>
      `${best} is lowest with ${mean} on average; ${next} comes next with ${other}.`,
    apart: (best: string, next: string) => `Every run of ${best} lies below every run of ${next}.`,
    overlap: 'Their runs overlap: the difference may be the seed’s.',
    single: 'With one run each, nothing tells the setting from chance: add seeds.',
    pairs: (best: string, won: string, pairs: string) =>
      `With the same seed ${best} is lower in ${won} of ${pairs}.`,
  },
  curves: 'The runs together',
  courses: { loss: 'What is learned', heldOut: 'Held-out set' },
  curvesLabel: (name: string, seed: string, first: string, last: string) =>
    `${name}, seed ${seed}: from ${first} to ${last}.`,
  list: 'The runs of this sweep',
  columns: { run: 'Run', board: 'Board', seed: 'Seed', state: 'State', loss: 'Loss', made: 'Variant' },
  heldOut: 'Held-out loss',
  none: '–',
};

/** Of runs that are started in spite of the forecast. */
export const force = {
  submit: 'Start all the same',
  mark: 'forced',
  hint: 'Started in spite of a forecast that its memory is not enough',
};
