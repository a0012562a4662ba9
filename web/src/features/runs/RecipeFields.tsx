/** The recipe's fields, each with what it does and its default, which stays in force where nothing is entered. */
import {
  Box,
  Button,
  Checkbox,
  Collapse,
  Group,
  NativeSelect,
  NumberInput,
  SimpleGrid,
  Text,
} from '@mantine/core';
import { useDisclosure, useId } from '@mantine/hooks';
import { IconChevronDown } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';

import { rulesQuery, type Rule, type Rules } from '../../api/rules';
import { useWords } from '../../words';
import { useFormat, type Format } from '../../words/format';
import {
  breaks,
  CHOICES,
  CHOICES_MORE,
  NUMBERS_FIRST,
  NUMBERS_MORE,
  type ChoiceField,
  type Draft,
  type NumberField,
} from './recipe';

const FRACTIONS = new Set<string>(['learning_rate', 'alpha', 'dropout', 'warmup']);

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
  columns: readonly string[];
}

export function useRules(): Rules | undefined {
  return useQuery(rulesQuery('NewRun', 'recipe')).data;
}

export function RecipeFields({ draft, onChange, columns }: Props) {
  const words = useWords().runs;
  // What another run has set must not stay out of sight.
  const isHidden = [...NUMBERS_MORE, ...CHOICES_MORE].every((field) => draft[field] === undefined);
  const [opened, { toggle }] = useDisclosure(!isHidden);
  const id = useId();
  const chosen = draft.modules ?? [];
  return (
    <fieldset className="plain">
      <Text component="legend" fw={600}>
        {words.form.recipe}
      </Text>
      <Text size="sm" c="dimmed" mb="sm">
        {words.form.recipeHint}
      </Text>
      <Box mb="md">
        <ChoiceEntry field="method" draft={draft} onChange={onChange} />
      </Box>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        {NUMBERS_FIRST.map((field) => (
          <NumberEntry key={field} field={field} draft={draft} onChange={onChange} />
        ))}
      </SimpleGrid>
      <Button
        variant="subtle"
        size="compact-sm"
        my="md"
        mx={-8}
        onClick={toggle}
        aria-expanded={opened}
        aria-controls={id}
        rightSection={
          <IconChevronDown size={14} aria-hidden style={opened ? { rotate: '180deg' } : undefined} />
        }
      >
        {opened ? words.form.less : words.form.more}
      </Button>
      <Collapse expanded={opened} id={id}>
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          {NUMBERS_MORE.map((field) => (
            <NumberEntry key={field} field={field} draft={draft} onChange={onChange} />
          ))}
          {CHOICES_MORE.map((field) => (
            <ChoiceEntry key={field} field={field} draft={draft} onChange={onChange} />
          ))}
        </SimpleGrid>
        <Checkbox
          mt="md"
          label={words.fields.gradient_checkpointing}
          description={words.explain.gradient_checkpointing}
          checked={draft.gradient_checkpointing ?? false}
          onChange={(event) => onChange({ ...draft, gradient_checkpointing: event.currentTarget.checked })}
        />
        {columns.length > 0 && (
          <Checkbox.Group
            mt="md"
            label={words.fields.modules}
            description={words.explain.modules}
            value={[...chosen]}
            onChange={(modules) => onChange({ ...draft, modules })}
          >
            <Group mt="xs">
              {columns.map((column) => (
                <Checkbox key={column} value={column} label={column} />
              ))}
            </Group>
          </Checkbox.Group>
        )}
      </Collapse>
    </fieldset>
  );
}

function ChoiceEntry({ field, draft, onChange }: Omit<Props, 'columns'> & { field: ChoiceField }) {
  const words = useWords().runs;
  return (
    <NativeSelect
      label={words.fields[field]}
      description={words.explain[field]}
      inputWrapperOrder={['label', 'input', 'description']}
      value={draft[field] ?? CHOICES[field][0]}
      onChange={(event) => onChange({ ...draft, [field]: event.currentTarget.value })}
      data={CHOICES[field].map((value) => ({ value, label: words.choices[value] }))}
    />
  );
}

function NumberEntry({ field, draft, onChange }: Omit<Props, 'columns'> & { field: NumberField }) {
  const words = useWords().runs;
  const format = useFormat();
  const rule = useRules()?.[field];
  const standard = rule?.default ?? (field === 'max_length' ? words.form.contextDefault : undefined);
  const fraction = FRACTIONS.has(field);
  const value = draft[field] ?? undefined;
  return (
    <NumberInput
      label={words.fields[field]}
      description={words.explain[field]}
      inputWrapperOrder={['label', 'input', 'error', 'description']}
      placeholder={standard === undefined ? '' : words.form.byDefault(String(standard))}
      value={value ?? ''}
      onChange={(entered) =>
        onChange({ ...draft, [field]: typeof entered === 'number' ? entered : undefined })
      }
      error={rule && breaks(rule, value) && allowed(rule, words, format)}
      {...(rule?.minimum === undefined ? { min: 0 } : { min: rule.minimum })}
      {...(rule?.maximum === undefined ? {} : { max: rule.maximum })}
      allowDecimal={fraction}
      hideControls={fraction}
      clampBehavior="none"
    />
  );
}

function allowed(rule: Rule, words: ReturnType<typeof useWords>['runs'], format: Format): string {
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum } = rule;
  const high = maximum ?? exclusiveMaximum;
  if (exclusiveMinimum !== undefined && high !== undefined) {
    return words.more(format.significant(exclusiveMinimum), format.count(high));
  }
  const low = format.significant(minimum ?? 0);
  return high === undefined ? words.atLeast(low) : words.range(low, format.count(high));
}
