/** Which collection documents go into: one that is there, or the usual one, which the first document makes. */
import { NativeSelect } from '@mantine/core';

import { useWords } from '../../words';
import { USUAL_COLLECTION } from './queries';

interface Props {
  value: string;
  onChange: (name: string) => void;
  names: readonly string[];
}

export function CollectionChoice({ value, onChange, names }: Props) {
  const { add } = useWords().documents;
  const data = names.map((name) => ({ value: name, label: name }));
  if (!names.includes(USUAL_COLLECTION))
    data.push({ value: USUAL_COLLECTION, label: `${USUAL_COLLECTION} (${add.usual})` });
  if (data.length < 2) return null;
  return (
    <NativeSelect
      label={add.into}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      data={data}
      maw={360}
    />
  );
}
