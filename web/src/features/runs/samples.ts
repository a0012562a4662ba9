/** What a JSONL text holds: counted, shown before it is sent, and what is broken named by its line. The studio
 * (learning/data/messages.py, texts.py) has the last word; this only says early what it would say. */
export type Kind = 'messages' | 'keyed' | 'texts';
export type Fault =
  | 'json'
  | 'object'
  | 'field'
  | 'messages'
  | 'message'
  | 'role'
  | 'empty'
  | 'system'
  | 'answer'
  | 'last'
  | 'key'
  | 'question'
  | 'text';

export interface Row {
  /** From 1, blank lines counted. */
  line: number;
  /** What was asked last; of a plain text, nothing. */
  question: string;
  answer: string;
  key?: string;
}

export interface Reading {
  count: number;
  rows: Row[];
  broken: { line: number; fault: Fault; text: string }[];
  /** All of them; `broken` holds the first ones. */
  brokenCount: number;
}

const SHOWN_ROWS = 3;
const SHOWN_BROKEN = 5;
const SHOWN_TEXT = 200;
/** A shaped set says of its samples what belongs together and where they are from. */
const SAMPLE_FIELDS: readonly string[] = ['messages', 'key', 'group', 'source'];
const TEXT_FIELDS: readonly string[] = ['text', 'key', 'group', 'source'];
const ROLES: readonly unknown[] = ['system', 'user', 'assistant'];

export function readSamples(text: string, kind: Kind): Reading {
  const reading: Reading = { count: 0, rows: [], broken: [], brokenCount: 0 };
  // At line feeds alone: JSON strings may contain other separators.
  text
    .replace(/^\ufeff/, '')
    .split('\n')
    .forEach((raw, place) => {
      if (raw.trim() === '') return;
      reading.count += 1;
      const line = place + 1;
      const found = readLine(raw, kind);
      if (typeof found !== 'string') {
        if (reading.rows.length < SHOWN_ROWS) reading.rows.push({ line, ...found });
        return;
      }
      reading.brokenCount += 1;
      if (reading.broken.length < SHOWN_BROKEN) {
        reading.broken.push({ line, fault: found, text: raw.trim().slice(0, SHOWN_TEXT) });
      }
    });
  return reading;
}

function readLine(raw: string, kind: Kind): Omit<Row, 'line'> | Fault {
  let entry: unknown;
  try {
    entry = JSON.parse(raw);
  } catch {
    return 'json';
  }
  if (!isObject(entry)) return 'object';
  if (kind === 'texts') return readText(entry, ['text']);
  // A mix may hold texts among its conversations: they are learned whole.
  if (kind === 'messages' && 'text' in entry) return readText(entry, TEXT_FIELDS);
  return readMessages(entry, kind === 'keyed');
}

function readText(entry: Record<string, unknown>, fields: readonly string[]): Omit<Row, 'line'> | Fault {
  if (Object.keys(entry).some((field) => !fields.includes(field))) return 'field';
  const { text } = entry;
  return typeof text === 'string' && text.trim() ? { question: '', answer: text } : 'text';
}

function readMessages(entry: Record<string, unknown>, keyed: boolean): Omit<Row, 'line'> | Fault {
  if (Object.keys(entry).some((field) => !SAMPLE_FIELDS.includes(field))) return 'field';
  const { messages, key } = entry;
  if (!Array.isArray(messages) || messages.length === 0) return 'messages';
  if (key !== undefined && key !== null && !(typeof key === 'string' && key.trim())) return 'key';
  const said: { role: unknown; content: string }[] = [];
  for (const message of messages as unknown[]) {
    if (!isObject(message)) return 'message';
    const { role, content, ...others } = message;
    if (Object.keys(others).length > 0) return 'field';
    if (!ROLES.includes(role)) return 'role';
    if (typeof content !== 'string' || !content.trim()) return 'empty';
    said.push({ role, content });
  }
  if (said.slice(1).some(({ role }) => role === 'system')) return 'system';
  if (!said.some(({ role }) => role === 'assistant')) return 'answer';
  const last = said.at(-1);
  if (last?.role !== 'assistant') return 'last';
  const asked = said.at(-2);
  if (keyed && typeof key !== 'string') return 'key';
  if (keyed && asked?.role !== 'user') return 'question';
  return {
    question: said.findLast(({ role }) => role === 'user')?.content ?? '',
    answer: last.content,
    ...(typeof key === 'string' ? { key } : {}),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A request holds 16 MiB at most, and quotation marks grow in it. */
export const LARGEST_FILE = 15 * 2 ** 20;

/** A file's text.
 * @returns what is wrong with it as a whole: too large for one request, or not UTF-8, which nobody guesses at. */
export async function readFile(file: File): Promise<{ text: string } | 'large' | 'encoding'> {
  if (file.size > LARGEST_FILE) return 'large';
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer()) };
  } catch {
    return 'encoding';
  }
}
