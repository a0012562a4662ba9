/** English. A new key here is a compile error in ko.ts until it stands there too. */
import { admin } from './en/admin';
import { chat } from './en/chat';
import { home } from './en/home';
import { jobs } from './en/jobs';
import { markdown } from './en/markdown';
import { models } from './en/models';
import { runs } from './en/runs';

export const en = {
  admin,
  chat,
  home,
  jobs,
  markdown,
  models,
  runs,
  shell: {
    home: 'Home',
    chat: 'Chat',
    models: 'Models',
    runs: 'Runs',
    admin: 'Settings',
    views: 'Views',
    menu: 'Menu',
    overlays: 'Dialogs and hints',
    skip: 'Skip to the content',
    language: 'Language',
    light: 'Light colours',
    dark: 'Dark colours',
    notFound: 'There is nothing here',
    notFoundHint: 'The address may be mistyped, or what it named has been removed.',
    broken: 'This view has stopped working',
    again: 'Try again',
    unreachable: 'The studio does not answer',
    unreachableHint: 'It may be starting, or it has been stopped. This page tries again by itself.',
  },
};
