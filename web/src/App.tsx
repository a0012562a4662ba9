/** What surrounds every view: colours, language, server state, routes. */
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useMemo, useState } from 'react';

import { useAccess } from './api/access';
import { isUnreachable, untilReached } from './api/problem';
import { router } from './router';
import { theme } from './theme';
import { keepLanguage, loadWords, SpeechContext, type Language, type Words } from './words';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the studio has refused it will refuse again; only a lost connection is worth another try.
      retry: (failures, error) => isUnreachable(error) && failures < 2,
      refetchInterval: ({ state }) => untilReached(state.error),
    },
  },
});

interface Spoken {
  language: Language;
  words: Words;
}

/** With what is spoken at first. */
export function App(first: Spoken) {
  const [spoken, setSpoken] = useState<Spoken>(first);
  const { locked } = useAccess();
  const speech = useMemo(
    () => ({
      ...spoken,
      setLanguage: (next: Language) =>
        void loadWords(next).then((words) => {
          document.documentElement.lang = next;
          keepLanguage(next);
          setSpoken({ language: next, words });
          // The studio tells its errors in the language that a request asks for.
          void queries.invalidateQueries();
        }),
    }),
    [spoken],
  );
  return (
    <SpeechContext value={speech}>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <QueryClientProvider client={queries}>
          <Notifications position="top-right" />
          <RouterProvider router={router} />
          {/* A dialog of the view that the sign-in covers waits behind it too. */}
          <aside id="overlays" aria-label={speech.words.shell.overlays} hidden={locked !== null} />
        </QueryClientProvider>
      </MantineProvider>
    </SpeechContext>
  );
}
