/** A view that stands alone, without the ways into the studio. */
import type { ReactNode } from 'react';

import { Brand } from './Brand';
import { Choices } from './Choices';
import classes from './shell.module.css';

export function FullView({ children }: { children: ReactNode }) {
  return (
    <div className={classes.full}>
      <header className={classes.top}>
        <Brand />
        <Choices />
      </header>
      <main className={classes.middle}>
        <div className={classes.panel}>{children}</div>
      </main>
    </div>
  );
}
