/** The parts of Markdown that few texts need and that weigh much: fetched with the first text that needs them. */
import { useEffect, useSyncExternalStore } from 'react';
import type { ComponentType } from 'react';
import type { Options } from 'react-markdown';

type Plugin = NonNullable<Options['rehypePlugins']>[number];

export interface Formulas {
  remark: Plugin;
  Formula: ComponentType<{ source: string; display: boolean }>;
}

export interface Colours {
  rehype: Plugin;
}

class Extra<T> {
  private value: T | null = null;
  private asked = false;
  private readonly watchers = new Set<() => void>();

  constructor(private readonly load: () => Promise<T>) {}

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  readonly get = (): T | null => this.value;

  async fetch(): Promise<void> {
    if (this.asked) return;
    this.asked = true;
    try {
      this.value = await this.load();
      this.watchers.forEach((watcher) => watcher());
    } catch {
      // The studio is away: the text is readable without, and the next one that needs it tries again.
      this.asked = false;
    }
  }
}

const formulas = new Extra<Formulas>(async () => (await import('./MarkdownFormulas')).formulas);
const colours = new Extra<Colours>(async () => (await import('./MarkdownColours')).colours);

function useExtra<T>(extra: Extra<T>, wanted: boolean): T | null {
  const value = useSyncExternalStore(extra.subscribe, extra.get);
  useEffect(() => {
    if (wanted) void extra.fetch();
  }, [extra, wanted]);
  return wanted ? value : null;
}

export const useFormulas = (wanted: boolean) => useExtra(formulas, wanted);
export const useColours = (wanted: boolean) => useExtra(colours, wanted);
