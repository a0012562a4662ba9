/** What is learned, and what the run is judged by on the way: rows that are brought here, or sets of the studio. */
import { Group, NativeSelect, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { dataSetQuery, dataSetsQuery, type DataSet } from './queries';
import type { Draft } from './recipe';
import { SamplesInput, type Samples } from './SamplesInput';

interface Props {
  draft: Draft;
  onDraft: (draft: Draft) => void;
  samples: Samples;
  onSamples: (samples: Samples) => void;
}

export function DataFields({ draft, onDraft, samples, onSamples }: Props) {
  const { form: words } = useWords().runs;
  const { data_id: dataId = null, held_out_id: heldOutId = null } = draft;
  const chosen = useQuery({ ...dataSetQuery(dataId ?? ''), enabled: dataId !== null }).data;
  const listed = useQuery(dataSetsQuery).data ?? [];
  // The list ends somewhere; the one that was asked for is in it all the same.
  const sets = chosen && !listed.some(({ id }) => id === chosen.id) ? [chosen, ...listed] : listed;
  const others = sets.filter(({ id }) => id !== dataId);
  const choose = (id: string) =>
    onDraft({
      ...draft,
      data_id: id || null,
      // What is learned cannot be held out.
      ...(id === heldOutId ? { held_out_id: null } : {}),
    });
  return (
    <Stack gap="md">
      {sets.length > 0 && (
        <Group grow preventGrowOverflow={false} align="flex-start" gap="md">
          <NativeSelect
            flex="1 1 16rem"
            label={words.from}
            description={chosen && <Chosen set={chosen} />}
            inputWrapperOrder={['label', 'input', 'description']}
            value={dataId ?? ''}
            onChange={(event) => choose(event.currentTarget.value)}
            data={[{ value: '', label: words.ownRows }, ...sets.map(optionOf)]}
          />
          <NativeSelect
            flex="1 1 16rem"
            label={words.heldOut}
            description={words.heldOutHint}
            inputWrapperOrder={['label', 'input', 'description']}
            value={heldOutId ?? ''}
            onChange={(event) => onDraft({ ...draft, held_out_id: event.currentTarget.value || null })}
            data={[{ value: '', label: words.noHeldOut }, ...others.map(optionOf)]}
          />
        </Group>
      )}
      {dataId === null && (
        <SamplesInput
          label={words.data}
          hint={words.dataHint}
          kind="messages"
          samples={samples}
          onChange={onSamples}
          required
        />
      )}
    </Stack>
  );
}

const optionOf = ({ id, name }: DataSet) => ({ value: id, label: name });

function Chosen({ set }: { set: DataSet }) {
  const { form: words } = useWords().runs;
  const format = useFormat();
  const { samples, size } = set;
  return (
    <>
      <AnchorLink to="/data/$id" params={{ id: set.id }} size="xs" underline="always" className="words">
        {set.name}
      </AnchorLink>
      <span className="figures">
        {samples === null ? '' : ` · ${words.lines(format.count(samples))}`}
        {` · ${format.bytes(size)} · ${words.asItLies}`}
      </span>
    </>
  );
}
