/** What has to do with a data set, said before it is deleted. */
import { isOver, type Job, type Run } from '../../api/queries';
import { madeBy, type DataSet } from './queries';

export interface Dependents {
  /** Sets that were made of it. */
  made: string[];
  /** Runs that learned from it, or were judged by it. */
  runs: string[];
  /** Kinds of jobs that read it at this moment. */
  going: ('check' | 'shape' | 'split' | 'mix')[];
}

export function dependentsOf(
  { id }: Pick<DataSet, 'id'>,
  sets: readonly Pick<DataSet, 'id' | 'name'>[],
  jobs: readonly Job[],
  runs: readonly Run[],
): Dependents {
  const about = jobs.filter((job) => (job.args['data_ids'] as string[] | undefined)?.includes(id));
  const ids = new Set(about.filter(({ state }) => state === 'succeeded').flatMap(madeBy));
  const going = (['check', 'shape', 'split', 'mix'] as const).filter((action) =>
    about.some((job) => !isOver(job.state) && job.args['action'] === action),
  );
  return {
    made: sets.filter((set) => ids.has(set.id)).map(({ name }) => name),
    runs: runs
      .filter((run) => run.data_set?.id === id || run.held_out?.id === id)
      .map(({ recipe }) => recipe.name),
    going,
  };
}
