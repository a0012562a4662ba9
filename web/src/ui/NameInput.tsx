/** A model's name, checked while it is typed. */
import { TextInput, type TextInputProps } from '@mantine/core';

import { useWords } from '../words';
import { LONGEST_NAME, nameFault } from './names';

interface Props extends Omit<TextInputProps, 'onChange' | 'error' | 'value' | 'maxLength'> {
  value: string;
  onChange: (value: string) => void;
  taken: ReadonlySet<string>;
}

export function NameInput({ value, onChange, taken, ...input }: Props) {
  const { jobs } = useWords();
  const fault = nameFault(value, taken);
  return (
    <TextInput
      {...input}
      description={input.description ?? jobs.nameHint}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={fault && jobs.nameFaults[fault]}
      // A little more than fits, so that what is too long is said and not silently cut.
      maxLength={2 * LONGEST_NAME}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
    />
  );
}
