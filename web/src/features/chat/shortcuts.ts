/** Keys that act in the whole chat. */
import { useHotkeys } from '@mantine/hooks';

const apple = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** As Mantine, a person, and ARIA write them. Alone they would be letters that one types. */
export const SHORTCUTS = {
  fresh: {
    keys: 'mod+shift+O',
    shown: apple ? '⌘⇧O' : 'Ctrl ⇧ O',
    aria: apple ? 'Meta+Shift+O' : 'Control+Shift+O',
  },
  search: { keys: 'mod+K', shown: apple ? '⌘K' : 'Ctrl K', aria: apple ? 'Meta+K' : 'Control+K' },
} as const;

export function useShortcuts(acts: { fresh: () => void; search: () => void }): void {
  // Also while one writes: that is where one is when the thought comes.
  useHotkeys(
    [
      [SHORTCUTS.fresh.keys, acts.fresh],
      [SHORTCUTS.search.keys, acts.search],
    ],
    [],
    true,
  );
}
