import { useEffect, useState } from 'react';

import { ProblemError } from '../api/problem';

/** Seconds until the studio takes the next attempt, as the error says; 0 where it sets no time. */
export function useCountdown(error: unknown): number {
  const wait = error instanceof ProblemError ? (error.problem.retryAfter ?? 0) : 0;
  const [passed, setPassed] = useState({ error, seconds: 0 });
  // Another error begins to count anew.
  if (passed.error !== error) setPassed({ error, seconds: 0 });
  const left = passed.error === error ? Math.max(0, Math.ceil(wait - passed.seconds)) : Math.ceil(wait);
  useEffect(() => {
    if (wait <= 0) return;
    const began = Date.now();
    const timer = setInterval(() => {
      const seconds = (Date.now() - began) / 1000;
      setPassed({ error, seconds });
      if (seconds >= wait) clearInterval(timer);
    }, 1000);
    return () => clearInterval(timer);
  }, [error, wait]);
  return left;
}
