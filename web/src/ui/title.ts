/** The tab's title, so that tabs, history and a screen reader tell one view from another. */
import { useEffect } from 'react';

export function useTitle(...parts: (string | undefined)[]): void {
  const title = [...parts.filter(Boolean), 'Twotrack'].join(' · ');
  useEffect(() => {
    const before = document.title;
    document.title = title;
    // What covers a view gives it its title back; a view that takes another's place sets its own next.
    return () => {
      document.title = before;
    };
  }, [title]);
}
