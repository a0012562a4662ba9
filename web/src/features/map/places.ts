/** Arithmetic of the map: which modules lie in a cell, and what they weigh. */
import type { Module, ModelMap, Norms, Sensed } from './queries';

/** Layers from `first` to `last` of a stack, one column. */
export interface Place {
  stack: string;
  first: number;
  last: number;
  column: string;
}

export interface Held {
  module: Module;
  layers: number[];
}

export const isSame = (one: Place | null, other: Place): boolean =>
  one !== null &&
  one.stack === other.stack &&
  one.first === other.first &&
  one.last === other.last &&
  one.column === other.column;

export function modulesIn(map: ModelMap, place: Place): Held[] {
  return map.modules
    .filter((module) => module.stack === place.stack && module.column === place.column)
    .map((module) => ({
      module,
      layers: module.layers.filter((layer) => layer >= place.first && layer <= place.last),
    }))
    .filter(({ layers }) => layers.length > 0);
}

export const weightOf = (map: ModelMap, place: Place): number =>
  modulesIn(map, place).reduce(
    (sum, { module, layers }) => sum + module.parameters * module.count * layers.length,
    0,
  );

/** Of a low-rank change of one module: A is [rank, in], B is [out, rank]. Null where none can be put. */
export function loraOf(module: Module, rank: number): number | null {
  const [rows, columns] = module.shape;
  if (module.largest_rank === null || rows === undefined || columns === undefined) return null;
  return rank * (rows + columns);
}

/** Root mean square over a place: of its layers' cells, each by how many weights it has. */
export function rmsOf(norms: Norms, place: Place): number | null {
  let square = 0;
  let elements = 0;
  for (const cell of norms.cells) {
    if (cell.stack !== place.stack || cell.column !== place.column) continue;
    if (cell.layer < place.first || cell.layer > place.last || cell.rms === 0) continue;
    square += cell.frobenius ** 2;
    elements += (cell.frobenius / cell.rms) ** 2;
  }
  return elements ? Math.sqrt(square / elements) : null;
}

export interface Figure {
  relative: number;
  /** Null for a single sample. */
  relative_error: number | null;
}

/** How sensitive a place is for each parameter that an adapter would have there; 1 is the body's average. */
export function sensitivityOf(map: ModelMap, sensed: Sensed, place: Place): Figure | null {
  const bands = map.stacks.find(({ name }) => name === place.stack)?.bands ?? [];
  const band = bands.findIndex(({ first, last }) => first === place.first && last === place.last);
  const of = ({ column }: { column: string }) => column === place.column;
  const found =
    band >= 0
      ? sensed.cells.find((cell) => cell.band === band && of(cell))
      : sensed.layers.find(({ layer, column }) => layer === place.first && of({ column }));
  return found ?? null;
}

/** The same of each kind of module in a place, by the end of its name: one of each layer is as large as the next. */
export function sensitivityIn(sensed: Sensed, place: Place): { name: string; relative: number }[] {
  const found = new Map<string, number[]>();
  for (const { name, layer, column, relative } of sensed.modules) {
    if (column !== place.column || layer < place.first || layer > place.last) continue;
    const end = name.split('.').at(-1) ?? name;
    found.set(end, [...(found.get(end) ?? []), relative]);
  }
  return [...found].map(([name, each]) => ({
    name,
    relative: each.reduce((sum, one) => sum + one, 0) / each.length,
  }));
}
