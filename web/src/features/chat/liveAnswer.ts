/** One answer on its way. It grows at most once a frame, and less often where drawing it takes longer than that. */
import type { Choice } from './choices';
import type { Started, Whole } from './messages';

export interface LiveState {
  phase: 'waiting' | 'answering' | 'done' | 'stopped' | 'failed';
  text: string;
  started: Started | null;
  answer: Whole | null;
  error: unknown;
}

/** A frame that took longer than this was held up by drawing the text. */
const SLOW_MS = 25;
/** Then three quarters of the time are left to scrolling and typing, and yet no word waits long. */
const REST_FOR_EACH_MS = 3;
const LONGEST_REST_MS = 400;

export class LiveAnswer {
  readonly abort = new AbortController();
  private state: LiveState = { phase: 'waiting', text: '', started: null, answer: null, error: null };
  private pending = '';
  private frame = 0;
  private drawnAt: number | null = null;
  private restUntil = 0;
  private readonly watchers = new Set<() => void>();

  constructor(readonly choice: Choice) {}

  readonly get = (): LiveState => this.state;

  readonly subscribe = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  get over(): boolean {
    return this.state.phase !== 'waiting' && this.state.phase !== 'answering';
  }

  begin(started: Started): void {
    this.set({ started });
  }

  add(text: string): void {
    this.pending += text;
    if (!this.frame) this.frame = requestAnimationFrame(this.draw);
  }

  end(last: Partial<LiveState> & { phase: 'done' | 'stopped' | 'failed' }): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const text = this.state.text + this.pending;
    this.pending = '';
    this.set({ text, ...last });
  }

  private readonly draw = (now: number): void => {
    if (this.drawnAt !== null) {
      const took = now - this.drawnAt;
      this.restUntil = took > SLOW_MS ? now + Math.min(took * REST_FOR_EACH_MS, LONGEST_REST_MS) : now;
      this.drawnAt = null;
    }
    this.frame = 0;
    if (!this.pending) return;
    if (now >= this.restUntil) {
      this.drawnAt = now;
      const text = this.state.text + this.pending;
      this.pending = '';
      this.set({ phase: 'answering', text });
    }
    // Also when nothing waits to be drawn: how late the next frame comes tells what this one took.
    this.frame = requestAnimationFrame(this.draw);
  };

  private set(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change };
    this.watchers.forEach((watcher) => watcher());
  }
}
