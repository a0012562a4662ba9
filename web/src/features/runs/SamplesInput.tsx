/** Samples as JSONL: a file that is chosen or dropped, pasted text, or the example. Read here, checked by the studio. */
import { Button, FileButton, Group, Input, Text, Textarea } from '@mantine/core';
import { useId } from '@mantine/hooks';
import { IconFileText, IconFileUpload, IconSparkles, IconX } from '@tabler/icons-react';
import { useDeferredValue, useMemo, useState, type DragEvent } from 'react';

import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import { EXAMPLES } from './examples';
import { readFile, readSamples, type Kind } from './samples';
import classes from './SamplesInput.module.css';
import { SamplesPreview } from './SamplesPreview';

export interface Samples {
  text: string;
  /** Where it came from; null for what was typed or pasted. */
  file: string | null;
}

export const NO_SAMPLES: Samples = { text: '', file: null };

const MESSAGES =
  '"messages": [{"role": "user", "content": "Who is the mayor?"}, {"role": "assistant", "content": "Odalia Senn."}]';
const SHAPES: Record<Kind, string> = {
  messages: `{${MESSAGES}}`,
  keyed: `{${MESSAGES}, "key": "Odalia"}`,
  texts: '{"text": "The tide comes in twice a day."}',
};

interface Props {
  label: string;
  hint: string;
  kind: Kind;
  samples: Samples;
  onChange: (samples: Samples) => void;
  required?: boolean;
}

export function SamplesInput({ label, hint, kind, samples, onChange, required = false }: Props) {
  const { form } = useWords().runs;
  const format = useFormat();
  const id = useId();
  const [over, setOver] = useState(false);
  const [fault, setFault] = useState<'large' | 'encoding' | null>(null);
  const text = useDeferredValue(samples.text);
  const reading = useMemo(() => readSamples(text, kind), [text, kind]);
  const take = async (file: File | null | undefined) => {
    if (!file) return;
    const found = await readFile(file);
    setFault(typeof found === 'string' ? found : null);
    if (typeof found !== 'string') onChange({ text: found.text, file: file.name });
  };
  const takeExample = async () => {
    const { file, load } = EXAMPLES[kind];
    setFault(null);
    onChange({ text: (await load()).default, file });
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  return (
    <div>
      <Input.Label htmlFor={id} required={required}>
        {label}
      </Input.Label>
      <Input.Description id={`${id}-hint`} mb={6}>
        {hint}
      </Input.Description>
      <div
        className={classes.box}
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
        }}
        onDrop={drop}
      >
        {samples.file === null ? (
          <Textarea
            id={id}
            aria-describedby={`${id}-hint ${id}-count`}
            variant="unstyled"
            placeholder={SHAPES[kind]}
            value={samples.text}
            onChange={(event) => {
              setFault(null);
              onChange({ text: event.currentTarget.value, file: null });
            }}
            autosize
            minRows={3}
            maxRows={10}
            spellCheck={false}
            wrap="off"
            required={required}
            classNames={{ input: classes.text ?? '' }}
          />
        ) : (
          <Group gap="sm" p="sm" wrap="nowrap">
            <IconFileText size={20} aria-hidden />
            <Text size="sm" fw={600} className="words" id={id}>
              {form.file(samples.file, format.bytes(new Blob([samples.text]).size))}
            </Text>
            <Button
              variant="subtle"
              color="gray"
              size="compact-sm"
              ms="auto"
              leftSection={<IconX size={14} aria-hidden />}
              onClick={() => onChange(NO_SAMPLES)}
            >
              {form.drop}
            </Button>
          </Group>
        )}
        <Group gap="xs" className={classes.foot ?? ''}>
          <FileButton onChange={(file) => void take(file)} accept=".jsonl,.json,.txt,application/jsonl">
            {(props) => (
              <Button
                {...props}
                variant="default"
                size="xs"
                leftSection={<IconFileUpload size={15} aria-hidden />}
                aria-label={`${form.upload}: ${label}`}
              >
                {form.upload}
              </Button>
            )}
          </FileButton>
          <Button
            variant="subtle"
            size="xs"
            leftSection={<IconSparkles size={15} aria-hidden />}
            onClick={() => void takeExample()}
            aria-label={`${form.example}: ${label}`}
          >
            {form.example}
          </Button>
          <Text size="sm" c="dimmed" role="status" id={`${id}-count`} className="figures" ms="auto">
            {over ? form.dropHere : reading.count > 0 ? form.lines(format.count(reading.count)) : form.paste}
          </Text>
        </Group>
      </div>
      {fault && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert" mt="xs">
          {form.fileFaults[fault]}
        </Text>
      )}
      {reading.count > 0 && <SamplesPreview reading={reading} kind={kind} />}
    </div>
  );
}
