/** English. A new key here is a compile error in ko.ts until it stands there too. */
import { admin } from './en/admin';
import { board } from './en/board';
import { chat } from './en/chat';
import { data } from './en/data';
import { documents } from './en/documents';
import { exporting } from './en/exporting';
import { forecast } from './en/forecast';
import { home } from './en/home';
import { jobs } from './en/jobs';
import { keys } from './en/keys';
import { log } from './en/log';
import { map } from './en/map';
import { markdown } from './en/markdown';
import { models } from './en/models';
import { rag } from './en/rag';
import { runs } from './en/runs';
import { shell } from './en/shell';

export const en = {
  admin,
  board,
  chat,
  data,
  documents,
  exporting,
  forecast,
  home,
  jobs,
  keys,
  log,
  map,
  markdown,
  models,
  rag,
  runs,
  shell,
};
