/** The page's entry. `npm run dev` serves it with a studio on port 8321 behind it. */
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './page.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { readConfig } from './api/connection';
import { App } from './App';
import { firstLanguage } from './words';

// Before the first request, which asks for answers in it, and for whoever reads aloud.
document.documentElement.lang = firstLanguage();

const root = document.getElementById('root');
if (root) {
  void readConfig().then(() =>
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    ),
  );
}
