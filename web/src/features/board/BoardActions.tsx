/** What can be done with a setting as a whole: back and forth, to one gain, into a file or a variant. */
import { Alert, Button, FileButton, Group } from '@mantine/core';
import { useState } from 'react';

import { saveText } from '../../ui/saveText';
import { useWords } from '../../words';
import type { Details } from '../models/queries';
import { isSame, uniform, type Board, type Layout } from './board';
import { presetOf, readPreset, type Fault } from './preset';
import { SaveDialog } from './SaveDialog';
import type { Setting } from './setting';

interface Props {
  details: Details;
  layout: Layout;
  board: Board;
  original: Board;
  /** What is kept as a variant: this board and the other one. */
  setting: Setting;
  undo: (() => void) | null;
  redo: (() => void) | null;
  onChange: (board: Board) => void;
}

/** Far beyond any board. */
const LARGEST = 256 * 1024;

export function BoardActions({ details, layout, board, original, setting, undo, redo, onChange }: Props) {
  const { board: words } = useWords();
  const [saving, setSaving] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const load = async (file: File | null) => {
    if (!file) return;
    const found =
      file.size > LARGEST ? 'format' : readPreset(await file.text(), layout, details.variant.base_id);
    setFault(typeof found === 'string' ? found : null);
    if (typeof found !== 'string') onChange(found);
  };
  return (
    <>
      <Group gap="xs">
        <Button variant="default" disabled={!undo} onClick={() => undo?.()}>
          {words.undo}
        </Button>
        <Button variant="default" disabled={!redo} onClick={() => redo?.()}>
          {words.redo}
        </Button>
        <Button variant="default" disabled={isSame(board, original)} onClick={() => onChange(original)}>
          {words.original}
        </Button>
        <Button variant="default" onClick={() => onChange(uniform(layout, 0))}>
          {words.allOff}
        </Button>
        <Button variant="default" onClick={() => onChange(uniform(layout, 1))}>
          {words.allOn}
        </Button>
        <Button
          variant="default"
          onClick={() =>
            saveText(
              presetOf(board, layout, { id: details.base.id, name: details.base.name }),
              `${details.variant.name}.board.json`,
              'application/json',
            )
          }
        >
          {words.toFile}
        </Button>
        <FileButton accept=".json,application/json" onChange={(file) => void load(file)}>
          {(props) => (
            <Button variant="default" {...props}>
              {words.fromFile}
            </Button>
          )}
        </FileButton>
        <Button onClick={() => setSaving(true)}>{words.save}</Button>
      </Group>
      {fault && (
        <Alert color="red" role="alert" withCloseButton onClose={() => setFault(null)}>
          {words.faults[fault]}
        </Alert>
      )}
      {saving && <SaveDialog details={details} setting={setting} onClose={() => setSaving(false)} />}
    </>
  );
}
