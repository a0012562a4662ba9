/** The newest conversations, runs and models, each with the way to all of them. */
import { Text, Title } from '@mantine/core';
import { Link, type LinkProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { isBase, type BaseEntry, type Run } from '../../api/queries';
import { JobState } from '../../ui/JobState';
import { AnchorLink } from '../../ui/links';
import { useWords } from '../../words';
import { useFormat } from '../../words/format';
import type { Session } from './queries';
import classes from './Recent.module.css';

const SHOWN = 4;

interface Props {
  sessions: readonly Session[];
  runs: readonly Run[];
  models: readonly BaseEntry[];
}

export function Recent({ sessions, runs, models }: Props) {
  const { home } = useWords();
  const words = home.recent;
  const format = useFormat();
  const variants = models
    .flatMap(({ base, variants: all }) => all.map((variant) => ({ variant, base })))
    .sort((a, b) => b.variant.created_at.localeCompare(a.variant.created_at));
  return (
    <div className={classes.recent}>
      <Column
        title={words.chats}
        all={{ to: '/chat' }}
        none={words.chatsNone}
        act={words.chatsAct}
        link={{ to: '/chat' }}
      >
        {sessions.slice(0, SHOWN).map(({ id, title, updated_at: at }) => (
          <Item
            key={id}
            link={{ to: '/chat/$sessionId', params: { sessionId: id } }}
            name={title || home.untitled}
            fact={format.ago(at)}
          />
        ))}
      </Column>
      <Column
        title={words.runs}
        all={{ to: '/runs' }}
        none={words.runsNone}
        act={words.runsAct}
        link={{ to: '/runs', search: { start: '' } }}
      >
        {runs.slice(0, SHOWN).map(({ job, recipe }) => (
          <Item
            key={job.id}
            link={{ to: '/runs/$runId', params: { runId: job.id } }}
            name={recipe.name}
            fact={<JobState state={job.state} />}
          />
        ))}
      </Column>
      <Column
        title={words.models}
        all={{ to: '/models' }}
        none={words.modelsNone}
        act={words.modelsAct}
        link={{ to: '/models' }}
      >
        {variants.slice(0, SHOWN).map(({ variant, base }) => (
          <Item
            key={variant.id}
            link={{ to: '/models/$name', params: { name: variant.name } }}
            name={variant.name}
            fact={isBase(variant) ? words.base : base.name}
          />
        ))}
      </Column>
    </div>
  );
}

interface ColumnProps {
  title: string;
  all: LinkProps;
  none: string;
  act: string;
  link: LinkProps;
  children: ReactNode[];
}

function Column({ title, all, none, act, link, children }: ColumnProps) {
  const { recent: words } = useWords().home;
  return (
    <section className={classes.column}>
      <div className={classes.head}>
        <Title order={2} size="h5">
          {title}
        </Title>
        {children.length > 0 && (
          <Link {...all} className={classes.all} aria-label={words.allOf(title)}>
            {words.all}
          </Link>
        )}
      </div>
      {children.length > 0 ? (
        <ul className={classes.list}>{children}</ul>
      ) : (
        <Text size="sm" c="dimmed">
          {none}{' '}
          <AnchorLink {...link} size="sm" underline="always">
            {act}
          </AnchorLink>
        </Text>
      )}
    </section>
  );
}

function Item({ link, name, fact }: { link: LinkProps; name: string; fact: ReactNode }) {
  return (
    <li>
      <Link {...link} className={classes.item}>
        <span className={`${classes.name ?? ''} words`}>{name}</span>
        <span className={classes.fact}>{fact}</span>
      </Link>
    </li>
  );
}
