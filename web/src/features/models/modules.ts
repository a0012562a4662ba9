/** Names of an adapter's modules, for people: one trained on a board names every layer's by itself. */

/** Modules of one kind, such as `model.layers.15.mlp.down_proj` and its likes in other layers. */
export interface ModuleGroup {
  /** What stands behind the layer's number; the whole name where there is none. */
  kind: string;
  /** First and last layers of unbroken series, from 0; empty where the name says no layer. */
  layers: readonly (readonly [number, number])[];
}

export function groupsOf(names: readonly string[]): ModuleGroup[] {
  const found = new Map<string, number[]>();
  for (const name of names) {
    const match = /(?:^|\.)(\d+)\.(.+)$/.exec(name);
    const [kind, layer] = match ? [match[2] ?? name, Number(match[1])] : [name, null];
    const layers = found.get(kind) ?? [];
    if (layer !== null) layers.push(layer);
    found.set(kind, layers);
  }
  return [...found].map(([kind, layers]) => ({ kind, layers: seriesOf(layers) }));
}

function seriesOf(layers: readonly number[]): [number, number][] {
  const series: [number, number][] = [];
  for (const layer of [...new Set(layers)].sort((a, b) => a - b)) {
    const last = series.at(-1);
    if (last && last[1] === layer - 1) last[1] = layer;
    else series.push([layer, layer]);
  }
  return series;
}

/** `mlp.down_proj 15–29`, or the name alone. */
export function labelOf({ kind, layers }: ModuleGroup): string {
  const told = layers.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`));
  return told.length > 0 ? `${kind} ${told.join(', ')}` : kind;
}
