/** The family tree: foundation → base → adapter → variant, and what goes when one of them is removed. */
import { isBase, type Adapter, type Base, type BaseEntry, type Variant } from '../../api/queries';

export interface Foundation {
  /** The architecture's family, such as "llama". */
  family: string;
  bases: BaseBranch[];
}

export interface BaseBranch {
  entry: BaseEntry;
  /** What the base goes by: the name of its variant zero. */
  name: string;
  adapters: { adapter: Adapter; variants: Variant[] }[];
  /** Variants of several adapters, or of the base's own board alone: under no adapter. */
  mixed: Variant[];
}

/** The base itself as a variant: a base goes by its name. */
export function variantZero(entry: BaseEntry): Variant | undefined {
  return entry.variants.find(isBase);
}

export function lineage(models: readonly BaseEntry[]): Foundation[] {
  const families = [...new Set(models.map(({ base }) => base.family))].sort();
  return families.map((family) => ({
    family,
    bases: models.filter(({ base }) => base.family === family).map(branch),
  }));
}

function branch(entry: BaseEntry): BaseBranch {
  const made = entry.variants.filter((variant) => !isBase(variant));
  return {
    entry,
    name: variantZero(entry)?.name ?? entry.base.name,
    adapters: entry.adapters.map((adapter) => ({
      adapter,
      variants: made.filter(
        ({ adapters: parts }) => parts.length === 1 && parts[0]?.adapter_id === adapter.id,
      ),
    })),
    mixed: made.filter(({ adapters: parts }) => parts.length !== 1),
  };
}

export interface Doomed {
  variants: string[];
  adapters: string[];
}

/** What goes together with a variant: all that stands on a base, or the adapters that no other variant uses. */
export function goesAlong(variant: Variant, entry: BaseEntry): Doomed {
  const others = entry.variants.filter((one) => one.id !== variant.id);
  if (isBase(variant)) {
    return { variants: others.map(({ name }) => name), adapters: entry.adapters.map(({ name }) => name) };
  }
  const own = new Set(variant.adapters.map(({ adapter_id }) => adapter_id));
  const used = new Set(others.flatMap(({ adapters }) => adapters.map(({ adapter_id }) => adapter_id)));
  return {
    variants: [],
    adapters: entry.adapters.filter(({ id }) => own.has(id) && !used.has(id)).map(({ name }) => name),
  };
}

/** Adapters of a variant that stay when it goes, each with the other variants that stand on it. */
export function sharedWith(variant: Variant, entry: BaseEntry): { adapter: string; users: string[] }[] {
  return variant.adapters.flatMap(({ adapter_id: id }) => {
    const users = entry.variants.filter(
      (one) => one.id !== variant.id && one.adapters.some(({ adapter_id }) => adapter_id === id),
    );
    const adapter = entry.adapters.find((one) => one.id === id);
    return adapter && users.length ? [{ adapter: adapter.name, users: users.map(({ name }) => name) }] : [];
  });
}

/** The type that most of a base's weights have, such as Q4_1; null where the inspection found none. */
export function quantizationOf(base: Base): string | null {
  const types: unknown = base.details?.['dtypes'];
  if (typeof types !== 'object' || types === null) return null;
  const counts = Object.entries(types).filter((one): one is [string, number] => typeof one[1] === 'number');
  return counts.sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}

/** Only what contains the text, with all that it stands on. */
export function filtered(models: readonly BaseEntry[], text: string): BaseEntry[] {
  const wanted = text.trim().toLocaleLowerCase();
  const fits = ({ name }: { name: string }) => name.toLocaleLowerCase().includes(wanted);
  return models.flatMap((entry) => {
    const zero = variantZero(entry);
    if (fits(entry.base) || (zero && fits(zero))) return [entry];
    const variants = entry.variants.filter(fits);
    const used = new Set(variants.flatMap((one) => one.adapters.map(({ adapter_id }) => adapter_id)));
    const adapters = entry.adapters.filter((adapter) => fits(adapter) || used.has(adapter.id));
    if (variants.length + adapters.length === 0) return [];
    return [{ ...entry, adapters, variants: zero ? [zero, ...variants] : variants }];
  });
}
