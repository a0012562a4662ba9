/** Where a search has found its words: marked in a title, and in a piece of a message. */
import classes from './chat.module.css';
import type { ListedSession } from './queries';

export function FoundTitle({ title, words }: { title: string; words: string }) {
  const at = words ? title.toLowerCase().indexOf(words.toLowerCase()) : -1;
  if (at < 0) return title;
  const end = at + words.length;
  return (
    <>
      {title.slice(0, at)}
      <mark className={classes.found}>{title.slice(at, end)}</mark>
      {title.slice(end)}
    </>
  );
}

/** What stands before the words is cut short, or a narrow list would not show them. */
const BEFORE = 24;

export function Snippet({ match }: { match: NonNullable<ListedSession['match']> }) {
  const { before, after } = match;
  const near = before.length > BEFORE ? `…${before.slice(-BEFORE)}` : before;
  return (
    <span className={classes.snippet} dir="auto">
      {near}
      <mark className={classes.found}>{match.match}</mark>
      {after}
    </span>
  );
}
