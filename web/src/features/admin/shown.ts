/** A setting's value as people read it. */
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Field } from './settings';

export function useShown(): (field: string, value: unknown) => string {
  const { answers, memory } = useWords().admin;
  const format = useFormat();
  const absent: Partial<Record<Field, string>> = {
    default_variant: answers.oldestBase,
    requests_per_client: answers.fairShare,
    requests_per_minute: answers.none,
    memory_budget_mib: memory.budgetByDefault,
  };
  return (field, value) => {
    if (value === null || value === undefined) return absent[field as Field] ?? answers.empty;
    if (typeof value === 'number') return Number.isInteger(value) ? format.count(value) : String(value);
    if (Array.isArray(value)) return value.length > 0 ? value.join(', ') : answers.empty;
    return String(value) || answers.empty;
  };
}
