import { ButtonLink } from '../ui/links';
import { Page } from '../ui/Page';
import { useWords } from '../words';

export function NotFoundView() {
  const { shell } = useWords();
  return (
    <Page title={shell.notFound} lead={shell.notFoundHint}>
      <div>
        <ButtonLink to="/">{shell.home}</ButtonLink>
      </div>
    </Page>
  );
}
