/** All that is set for a variant: the board of its adapters, and its base's own. Null where it has no such one. */
import type { Details } from '../models/queries';
import { boardOf, gainOf, uniform, type Board, type Layout } from './board';

export interface Setting {
  adapters: Board | null;
  base: Board | null;
}

export type Side = keyof Setting;
export type Layouts = Record<Side, Layout | null>;

/** What a request's `gains` take. */
export type Gains = number | Board | { adapters?: number | Board; base?: number | Board };

export function layoutsOf({ variant, board, own_board: own }: Details): Layouts {
  return { adapters: variant.adapters.length > 0 ? board : null, base: own };
}

/** The variant's own. */
export function settingOf({ variant }: Details, { adapters, base }: Layouts): Setting {
  const [first] = variant.adapters;
  return {
    adapters: adapters && boardOf(adapters, first?.gain, first?.board),
    base: base && boardOf(base, 1, variant.base_board),
  };
}

export function everywhere(gain: number, layouts: Layouts): Setting {
  // What is compared with is the base as it is, however strongly the adapters act on it.
  return {
    adapters: layouts.adapters && uniform(layouts.adapters, gain),
    base: layouts.base && uniform(layouts.base, 1),
  };
}

/** A board of the base's own is named where it does something, or where the variant has one itself. */
export function gainsOf({ adapters, base }: Setting, hasOwn: boolean): Gains {
  if (!adapters) return base ? { base: short(base) } : {};
  if (!base || (!hasOwn && gainOf(base) === 1)) return short(adapters);
  return { adapters: short(adapters), base: short(base) };
}

/** One number where a board says no more. */
const short = (board: Board): number | Board => gainOf(board) ?? board;
