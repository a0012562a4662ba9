/** The page's entry. `npm run dev` serves it with a studio on port 8321 behind it. */
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './page.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { readConfig } from './api/connection';
import { App } from './App';
import { firstLanguage, loadWords } from './words';

// Before the first request, which asks for answers in it, and for whoever reads aloud.
const language = firstLanguage();
document.documentElement.lang = language;

const root = document.getElementById('root');
if (root) {
  void Promise.all([loadWords(language), readConfig()]).then(([words]) =>
    createRoot(root).render(
      <StrictMode>
        <App language={language} words={words} />
      </StrictMode>,
    ),
  );
}
