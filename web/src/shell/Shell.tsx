/** What stands between the address and its view: whether the studio has let this page in. */
import { Center, Loader } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';

import { useAccess } from '../api/access';
import { connection, hasStudio } from '../api/connection';
import { meQuery } from '../api/me';
import { isUnreachable } from '../api/problem';
import { useWords } from '../words';
import { AwayView } from './Away';
import { Frame } from './Frame';
import { SignIn } from './SignIn';

export function Shell() {
  const { shell } = useWords();
  const { locked } = useAccess();
  const studio = hasStudio();
  const me = useQuery({ ...meQuery, enabled: studio });
  if (!studio) return <SignIn lock={{ problem: null, wished: false }} />;
  // Without a key the views ask at once: on one's own machine nobody is asked for one. With a key that may be
  // dead, only one request finds that out.
  const inside = me.data !== undefined || (connection().key === '' && !locked);
  if (!inside && !locked) {
    return isUnreachable(me.error) ? (
      <AwayView />
    ) : (
      <Center mih="100dvh" aria-busy="true">
        <Loader aria-label={shell.loading} role="status" />
      </Center>
    );
  }
  return (
    <>
      {locked && <SignIn lock={locked} resumes={inside} />}
      {/* Kept while the sign-in covers it: what has been written in it must not be lost. */}
      {inside && (
        <div hidden={locked !== null}>
          <Frame />
        </div>
      )}
    </>
  );
}
