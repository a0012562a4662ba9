/** One of a few: side by side where there is room, a list to choose from on a phone. */
import { NativeSelect, SegmentedControl } from '@mantine/core';

interface Props<T extends string> {
  label: string;
  value: T;
  onChange: (value: T) => void;
  data: readonly { value: T; label: string }[];
}

export function Segments<T extends string>({ label, value, onChange, data }: Props<T>) {
  return (
    <>
      <SegmentedControl
        visibleFrom="sm"
        aria-label={label}
        value={value}
        onChange={(chosen) => onChange(chosen as T)}
        data={[...data]}
      />
      <NativeSelect
        hiddenFrom="sm"
        aria-label={label}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value as T)}
        data={[...data]}
      />
    </>
  );
}
