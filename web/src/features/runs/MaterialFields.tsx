/** What a variant is asked: rows that are brought here or a set of the studio, and perhaps texts about other things. */
import { Collapse, NativeSelect, Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { useWords } from '../../words';
import type { Material } from './material';
import { dataSetsQuery } from './queries';
import { NO_SAMPLES, SamplesInput } from './SamplesInput';

interface Props {
  material: Material;
  onChange: (material: Material) => void;
}

export function MaterialFields({ material, onChange }: Props) {
  const { form, score: words } = useWords().runs;
  const { data: sets = [] } = useQuery(dataSetsQuery);
  const { samples, dataId, general } = material;
  return (
    <>
      {sets.length > 0 && (
        <NativeSelect
          label={form.from}
          description={words.setHint}
          inputWrapperOrder={['label', 'input', 'description']}
          value={dataId ?? ''}
          onChange={(event) => onChange({ ...material, dataId: event.currentTarget.value || null })}
          data={[
            { value: '', label: form.ownRows },
            ...sets.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
      )}
      {dataId === null && (
        <SamplesInput
          label={words.samples}
          hint={words.samplesHint}
          kind="keyed"
          samples={samples}
          onChange={(next) => onChange({ ...material, samples: next })}
          required
        />
      )}
      <div>
        <Switch
          label={words.general}
          checked={general !== null}
          onChange={() => onChange({ ...material, general: general === null ? NO_SAMPLES : null })}
        />
        <Collapse expanded={general !== null} pt="sm">
          <SamplesInput
            label={words.generalLabel}
            hint={words.generalHint}
            kind="texts"
            samples={general ?? NO_SAMPLES}
            onChange={(next) => onChange({ ...material, general: next })}
            required
          />
        </Collapse>
      </div>
    </>
  );
}
