/** `/admin/memory`: which models are loaded, and how much room there is. */
import { useWords } from '../../words';
import { AdminsOnly, Section } from './Section';

export function MemoryView() {
  const { memory } = useWords().admin;
  return (
    <AdminsOnly title={memory.title}>
      <Section title={memory.title} lead={memory.lead}>
        {null}
      </Section>
    </AdminsOnly>
  );
}
