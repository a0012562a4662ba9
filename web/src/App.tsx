/** What surrounds every view: colours, language, server state, routes. */
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';

import { isUnreachable, untilReached } from './api/problem';
import { router } from './router';
import { theme } from './theme';
import { firstLanguage, keepLanguage, SpeechContext, tables, type Language } from './words';

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

export function App() {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const speech = useMemo(() => ({ language, words: tables[language], setLanguage }), [language]);
  useEffect(() => {
    document.documentElement.lang = language;
    keepLanguage(language);
    // The studio tells its errors in the language that a request asks for.
    void queries.invalidateQueries();
  }, [language]);
  return (
    <SpeechContext value={speech}>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <QueryClientProvider client={queries}>
          <Notifications position="top-right" />
          <RouterProvider router={router} />
          <aside id="overlays" aria-label={speech.words.shell.overlays} />
        </QueryClientProvider>
      </MantineProvider>
    </SpeechContext>
  );
}
