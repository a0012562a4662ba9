/** Arithmetic of the map: which modules lie in a cell, and what they weigh. */
import type { Module, ModelMap, Norms } from './queries';

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
