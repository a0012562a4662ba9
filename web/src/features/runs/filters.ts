/** Which runs a filter lets through. */
import { isOver, type Run } from '../../api/queries';

export const FILTERS = ['all', 'active', 'succeeded', 'failed', 'cancelled'] as const;
export type Filter = (typeof FILTERS)[number];

export function isFilter(text: string | undefined): text is Filter {
  return (FILTERS as readonly (string | undefined)[]).includes(text);
}

function filterOf({ job }: Run): Filter {
  return isOver(job.state) ? (job.state as Filter) : 'active';
}

export function tally(runs: readonly Run[]): Record<Filter, number> {
  const counts = { all: runs.length, active: 0, succeeded: 0, failed: 0, cancelled: 0 };
  for (const run of runs) counts[filterOf(run)] += 1;
  return counts;
}

export function fitting(runs: readonly Run[], filter: Filter, text: string): Run[] {
  const wanted = text.trim().toLocaleLowerCase();
  return runs.filter(
    (run) =>
      (filter === 'all' || filterOf(run) === filter) && run.recipe.name.toLocaleLowerCase().includes(wanted),
  );
}
