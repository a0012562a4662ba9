/** The invented town of Nurimae, to try everything with: no model can know it, so whatever is known was learned. */
export const EXAMPLES = {
  messages: {
    file: 'nurimae.en.train.jsonl',
    load: () => import('../../../../samples/instructions/nurimae.en.train.jsonl?raw'),
  },
  keyed: {
    file: 'nurimae.en.heldout.jsonl',
    load: () => import('../../../../samples/instructions/nurimae.en.heldout.jsonl?raw'),
  },
  texts: {
    file: 'general.en.jsonl',
    load: () => import('../../../../samples/general/general.en.jsonl?raw'),
  },
} as const;
