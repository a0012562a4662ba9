/** Errors as the studio tells them: problem documents (RFC 9457) with a remedy. */
export interface Problem {
  type?: string;
  title?: string;
  status: number;
  detail: string;
  remedy?: string;
  /** What the detail names, such as the line of the data that is broken. */
  values?: Record<string, unknown>;
  /** Seconds to wait before the next attempt. */
  retryAfter?: number;
}

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

export function hasStatus(error: unknown, status: number): error is ProblemError {
  return error instanceof ProblemError && error.problem.status === status;
}

/** The kind of error, such as "name-taken"; undefined for what the studio did not say. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof ProblemError ? error.problem.type?.split(':').at(-1) : undefined;
}

/** Whether nobody answered, or a proxy instead of the studio: it may be back in a moment. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return error instanceof Error;
  const { type, status } = error.problem;
  return type === undefined && status >= 502 && status <= 504;
}

const AGAIN_MILLISECONDS = 5_000;

/** For a query's `refetchInterval`: ask again as long as the studio does not answer. */
export function untilReached(error: unknown): number | false {
  return isUnreachable(error) && AGAIN_MILLISECONDS;
}

export async function problemOf(response: Response): Promise<Problem> {
  const { status, headers } = response;
  const seconds = Number(headers.get('Retry-After') ?? NaN);
  const common = { status, ...(Number.isFinite(seconds) ? { retryAfter: seconds } : {}) };
  try {
    const body = (await response.json()) as Partial<Problem>;
    if (typeof body.detail === 'string') return { ...common, ...body, detail: body.detail };
  } catch {
    // Not JSON: whatever stands between page and studio answered instead of it.
  }
  return { ...common, detail: `HTTP ${status}` };
}
