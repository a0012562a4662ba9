/** Foundation → base → adapter → variant, as lists within lists. What stands on a model can be folded away. */
import { ActionIcon, Badge } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useId, useState, type ReactNode } from 'react';

import type { BaseEntry } from '../../api/queries';
import { useWords } from '../../words';
import { AdapterRow, BaseRow, VariantRow } from './FamilyRows';
import classes from './FamilyTree.module.css';
import { lineage, type BaseBranch } from './lineage';
import { useUsual } from './queries';

export type Kind = 'foundation' | 'base' | 'adapter' | 'variant';

export function FamilyTree({ models }: { models: readonly BaseEntry[] }) {
  const { models: words } = useWords();
  const usual = useUsual();
  const foundations: Record<string, string> = words.foundations;
  return (
    <ul className={classes.tree} aria-label={words.tree}>
      {lineage(models).map(({ family, bases }) => {
        const name = foundations[family] ?? family;
        return (
          <Branch key={family} kind="foundation" name={name} row={<strong className="words">{name}</strong>}>
            {bases.map((base) => (
              <BaseItem key={base.entry.base.id} branch={base} usual={usual} />
            ))}
          </Branch>
        );
      })}
    </ul>
  );
}

/** Below a base alone: its own row and its foundation's are on the page already. */
export function Standing({ entry }: { entry: BaseEntry }) {
  const { models: words } = useWords();
  const usual = useUsual();
  const base = lineage([entry])[0]?.bases[0];
  return (
    <ul className={classes.tree} aria-label={words.onIt}>
      {base && <Children branch={base} usual={usual} />}
    </ul>
  );
}

function BaseItem({ branch, usual }: { branch: BaseBranch; usual: string | undefined }) {
  const { entry, name, adapters, mixed } = branch;
  return (
    <Branch kind="base" name={name} row={<BaseRow base={entry.base} name={name} usual={usual === name} />}>
      {adapters.length + mixed.length > 0 && <Children branch={branch} usual={usual} />}
    </Branch>
  );
}

function Children({ branch, usual }: { branch: BaseBranch; usual: string | undefined }) {
  const { adapters, mixed, entry } = branch;
  const names = new Map(entry.adapters.map((adapter) => [adapter.id, adapter.name]));
  const leaf = (variant: (typeof mixed)[number]) => (
    <Branch
      key={variant.id}
      kind="variant"
      name={variant.name}
      row={<VariantRow variant={variant} names={names} usual={usual === variant.name} />}
    />
  );
  return (
    <>
      {adapters.map(({ adapter, variants }) => (
        <Branch key={adapter.id} kind="adapter" name={adapter.name} row={<AdapterRow adapter={adapter} />}>
          {variants.length > 0 && variants.map(leaf)}
        </Branch>
      ))}
      {mixed.map(leaf)}
    </>
  );
}

interface BranchProps {
  kind: Kind;
  name: string;
  row: ReactNode;
  children?: ReactNode;
}

function Branch({ kind, name, row, children }: BranchProps) {
  const { models: words } = useWords();
  const [open, setOpen] = useState(true);
  const id = useId();
  return (
    <li className={classes.branch} data-kind={kind}>
      <div className={classes.row}>
        {children ? (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            className={classes.fold ?? ''}
            aria-expanded={open}
            aria-controls={id}
            aria-label={open ? words.close(name) : words.open(name)}
            onClick={() => setOpen(!open)}
          >
            <IconChevronRight size={16} aria-hidden />
          </ActionIcon>
        ) : (
          <span className={classes.leaf} aria-hidden />
        )}
        <Badge variant="light" color="gray" className={classes.kind ?? ''}>
          {words.kinds[kind]}
        </Badge>
        {row}
      </div>
      {children && (
        <ul id={id} className={classes.children} hidden={!open}>
          {children}
        </ul>
      )}
    </li>
  );
}
