import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { api, body } from '../../api/client';
import { LONGEST_NAME, nameFault } from '../../ui/names';
import { RenameDialog as Rename } from '../../ui/RenameDialog';
import { useWords } from '../../words';
import { makeUsual, settingsQuery, useTaken } from './queries';

export function RenameDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const { models, jobs } = useWords();
  const { rename: words } = models;
  const taken = useTaken(name);
  const client = useQueryClient();
  const navigate = useNavigate();
  const save = async (next: string) => {
    const settings = await client.fetchQuery(settingsQuery);
    const renamed = body(
      await api.PATCH('/api/models/{name}', { params: { path: { name } }, body: { name: next } }),
    );
    // The settings name the default: it stays the default under its new name.
    if (settings.default_variant === name) await makeUsual(renamed.name);
    onClose();
    await navigate({ to: '/models/$name', params: { name: renamed.name }, replace: true });
    client.removeQueries({ queryKey: ['models', name] });
    await client.invalidateQueries({ queryKey: ['models'] });
    await client.invalidateQueries({ queryKey: ['settings'] });
  };
  return (
    <Rename
      title={words.title(name)}
      label={words.label}
      rule={jobs.nameHint}
      hint={words.hint}
      submit={words.submit}
      name={name}
      longest={2 * LONGEST_NAME}
      fault={(next) => {
        const fault = nameFault(next, taken);
        return fault && jobs.nameFaults[fault];
      }}
      onSave={save}
      onClose={onClose}
    />
  );
}
