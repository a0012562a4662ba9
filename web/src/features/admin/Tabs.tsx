/** The sections of the settings that the role may see, each at its own address. */
import { Link } from '@tanstack/react-router';

import { useMe } from '../../api/me';
import { useWords } from '../../words';
import classes from './Tabs.module.css';

const TABS = [
  { to: '/admin', word: 'answers', admin: false },
  { to: '/admin/keys', word: 'keys', admin: true },
  { to: '/admin/origins', word: 'origins', admin: true },
  { to: '/admin/memory', word: 'memory', admin: true },
  { to: '/admin/log', word: 'log', admin: true },
  { to: '/admin/jobs', word: 'jobs', admin: false },
] as const;

export function Tabs() {
  const { admin } = useWords();
  const me = useMe();
  return (
    <nav aria-label={admin.sections} className={classes.tabs}>
      {TABS.filter((tab) => !tab.admin || me?.role === 'admin').map(({ to, word }) => (
        <Link
          key={to}
          to={to}
          className={classes.tab ?? ''}
          // Its own answer is that /admin is current below it too.
          activeOptions={{ exact: true, includeSearch: false }}
        >
          {admin.tabs[word]}
        </Link>
      ))}
    </nav>
  );
}
