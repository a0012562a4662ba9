/** Both tables at once, for tests: the page loads the one that it shows. */
import type { Language, Words } from '.';
import { en } from './en';
import { ko } from './ko';

export const tables: Record<Language, Words> = { en, ko };
