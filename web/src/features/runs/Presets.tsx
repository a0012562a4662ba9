/** Recipes that ship, to begin with: what each is for, and why its fields are as they are. */
import { List, NativeSelect, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { api, body } from '../../api/client';
import type { components } from '../../client/schema';
import { AnchorLink } from '../../ui/links';
import { useSpeech } from '../../words';
import { FIELDS } from './recipe';

export type Preset = components['schemas']['Preset'];

interface Props {
  chosen: Preset | null;
  onChoose: (preset: Preset | null) => void;
  /** Whether the base that it is made for is here. */
  hasBase: (name: string) => boolean;
}

export function Presets({ chosen, onChoose, hasBase }: Props) {
  const { language, words: all } = useSpeech();
  const { presets: words, fields } = all.runs;
  const { data: presets = [] } = useQuery({
    queryKey: ['presets', language],
    queryFn: async () => body(await api.GET('/api/training/presets')),
    staleTime: Infinity,
  });
  // In the language of this moment.
  const shown = presets.find(({ name }) => name === chosen?.name) ?? chosen;
  const named = (field: string) => FIELDS.filter((one) => one === field).map((one) => fields[one]);
  return (
    <Stack gap="xs">
      <NativeSelect
        label={words.label}
        value={chosen?.name ?? ''}
        onChange={(event) => onChoose(presets.find(({ name }) => name === event.currentTarget.value) ?? null)}
        data={[
          { value: '', label: words.none },
          ...presets.map(({ name, title }) => ({ value: name, label: title })),
        ]}
      />
      {shown && (
        <List size="sm" spacing={4} className="words">
          {shown.notes.map((note) => {
            const about = note.fields.flatMap(named);
            // What it says of the goal is said beside the goal, too.
            return (
              about.length > 0 && (
                <List.Item key={note.text}>
                  <Text span size="sm" fw={600}>
                    {about.join(', ')}:
                  </Text>{' '}
                  {note.text}
                </List.Item>
              )
            );
          })}
          {!hasBase(String(shown.recipe.base)) && (
            <List.Item>
              {words.otherBase(String(shown.recipe.base), shown.source)}{' '}
              <AnchorLink to="/models" underline="always" size="sm">
                {all.runs.toModels}
              </AnchorLink>
            </List.Item>
          )}
        </List>
      )}
    </Stack>
  );
}
