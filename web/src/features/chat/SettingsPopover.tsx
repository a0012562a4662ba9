/** Temperature and system prompt of the next answers; what is not set follows the studio's settings. */
import {
  ActionIcon,
  Button,
  Group,
  Indicator,
  Popover,
  Radio,
  Slider,
  Stack,
  Text,
  Textarea,
} from '@mantine/core';
import { IconAdjustments } from '@tabler/icons-react';
import { useId } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { chooseForm, chooseSystem, chooseTemperature, useChoices, type Form } from './choices';

interface Studio {
  temperature: number;
  system_prompt: string;
}

interface Props {
  settings: Studio | undefined;
  /** Whether documents are answered from: then the form is chosen, and the instructions are the studio's own. */
  documents: boolean;
}

export function SettingsPopover({ settings, documents }: Props) {
  const { chat } = useWords();
  const format = useFormat();
  const { temperature, system, form } = useChoices();
  const changed = temperature !== null || (documents ? form !== null : system !== null);
  const heat = temperature ?? (documents ? 0 : (settings?.temperature ?? 0.7));
  const title = useId();
  return (
    <Popover position="top-end" shadow="md" width="min(22rem, 92vw)" trapFocus returnFocus withinPortal>
      <Indicator disabled={!changed} size={8} offset={4}>
        <Popover.Target>
          <ActionIcon variant="subtle" color="gray" size={36} radius="xl" aria-label={chat.compose.settings}>
            <IconAdjustments size={19} aria-hidden />
          </ActionIcon>
        </Popover.Target>
      </Indicator>
      <Popover.Dropdown aria-label={chat.compose.settings}>
        <Stack gap="md">
          <div>
            <Group justify="space-between">
              <Text size="sm" fw={600} id={title}>
                {chat.compose.temperature}
              </Text>
              <Text size="sm" className="figures">
                {format.decimal(heat, 2)}
              </Text>
            </Group>
            <Text size="xs" c="dimmed" mb={6}>
              {chat.compose.temperatureHint}
            </Text>
            <Slider
              min={0}
              max={2}
              step={0.05}
              value={heat}
              onChange={chooseTemperature}
              label={null}
              thumbProps={{ 'aria-labelledby': title }}
            />
          </div>
          {documents ? (
            <FormChoice form={form} />
          ) : (
            <Textarea
              label={chat.compose.system}
              description={system === null ? chat.compose.fromStudio : chat.compose.systemHint}
              value={system ?? settings?.system_prompt ?? ''}
              onChange={(event) => chooseSystem(event.currentTarget.value)}
              autosize
              minRows={2}
              maxRows={8}
              maxLength={32_768}
              dir="auto"
            />
          )}
          <Group justify="flex-end">
            <Button
              size="xs"
              variant="default"
              disabled={!changed}
              onClick={() => {
                chooseTemperature(null);
                chooseSystem(null);
                chooseForm(null);
              }}
            >
              {chat.compose.reset}
            </Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function FormChoice({ form }: { form: Form | null }) {
  const { ask } = useWords().rag;
  return (
    <>
      <Radio.Group
        label={ask.form}
        description={ask.formHint}
        value={form ?? 'studio'}
        onChange={(value) => chooseForm(value === 'studio' ? null : (value as Form))}
      >
        <Stack gap="xs" mt="xs">
          <Radio value="studio" label={ask.studio} />
          <Radio value="quote" label={ask.quote} />
          <Radio value="write" label={ask.write} />
        </Stack>
      </Radio.Group>
      <Text size="xs" c="dimmed">
        {ask.ownRules}
      </Text>
    </>
  );
}
