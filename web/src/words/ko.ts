/** 한국어 */
import type { Words } from '.';
import { admin } from './ko/admin';
import { board } from './ko/board';
import { chat } from './ko/chat';
import { data } from './ko/data';
import { documents } from './ko/documents';
import { exporting } from './ko/exporting';
import { forecast } from './ko/forecast';
import { home } from './ko/home';
import { jobs } from './ko/jobs';
import { keys } from './ko/keys';
import { log } from './ko/log';
import { map } from './ko/map';
import { markdown } from './ko/markdown';
import { models } from './ko/models';
import { rag } from './ko/rag';
import { runs } from './ko/runs';
import { shell } from './ko/shell';

export const ko: Words = {
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
