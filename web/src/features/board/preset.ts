/** A setting as a small file, as src/twotrack/equalizer/presets.py reads and writes it. */
import { HIGHEST, LOWEST, type Board, type Layout } from './board';

export const FORMAT = 'twotrack-board/1';

export interface Preset {
  format: typeof FORMAT;
  base: string;
  base_name: string;
  columns: string[];
  layers: number;
  board: Board;
}

export type Fault = 'format' | 'base' | 'shape';

export function presetOf(board: Board, layout: Layout, base: { id: string; name: string }): string {
  const preset: Preset = {
    format: FORMAT,
    base: base.id,
    base_name: base.name,
    columns: [...layout.columns],
    layers: layout.layers,
    board,
  };
  return `${JSON.stringify(preset, null, 2)}\n`;
}

export function readPreset(text: string, layout: Layout, baseId: string): Board | Fault {
  let found: Partial<Preset> | null;
  try {
    found = JSON.parse(text) as Partial<Preset> | null;
  } catch {
    return 'format';
  }
  const board = found?.board;
  if (found?.format !== FORMAT || !Array.isArray(board?.cells)) return 'format';
  if (found.base !== baseId) return 'base';
  const fits =
    board.cells.length === layout.bands.length &&
    board.cells.every((row) => Array.isArray(row) && row.length === layout.columns.length);
  const own = found.columns;
  if (Array.isArray(own) && String(own) !== String(layout.columns)) return 'shape';
  if (!fits || (board.points && board.points.length !== layout.columns.length)) return 'shape';
  const gains = [...board.cells.flat(), ...(board.points ?? []).flat().map(({ gain }) => gain)];
  const sound = gains.every((gain) => typeof gain === 'number' && gain >= LOWEST && gain <= HIGHEST);
  return sound ? board : 'format';
}
