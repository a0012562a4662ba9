/** Numbers, sizes and times as the chosen language writes them. */
import { useMemo } from 'react';

import { useSpeech, type Language } from '.';

const STEPS = ['B', 'kB', 'MB', 'GB', 'TB'];

export interface Format {
  count: (value: number) => string;
  /** 134,515,008 → 135M or 1.3억 */
  compact: (value: number) => string;
  decimal: (value: number, digits?: number) => string;
  /** 0.917 → 92% */
  share: (value: number) => string;
  /** Three digits that count: 0.000952 */
  significant: (value: number) => string;
  bytes: (value: number) => string;
  /** 3:05, or 1:02:03 past an hour. */
  duration: (seconds: number) => string;
  moment: (iso: string) => string;
  date: (iso: string) => string;
  day: (iso: string) => string;
  time: (iso: string) => string;
  /** 5 minutes ago, or 5분 전. */
  ago: (iso: string, now?: number) => string;
}

export function formatFor(language: Language): Format {
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const compact = new Intl.NumberFormat(language, { notation: 'compact', maximumSignificantDigits: 3 });
  const significant = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 });
  const moment = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'full' });
  const time = new Intl.DateTimeFormat(language, { timeStyle: 'short' });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const decimal = (value: number, digits = 3) =>
    new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
      value,
    );
  return {
    count: (value) => whole.format(value),
    compact: (value) => compact.format(value),
    decimal,
    share: (value) => share.format(value),
    significant: (value) => significant.format(value),
    bytes: (value) => {
      const step = Math.min(STEPS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)));
      const shown = value / 1000 ** step;
      return `${decimal(shown, step === 0 || shown >= 100 ? 0 : 1)} ${STEPS[step] ?? ''}`;
    },
    duration: (seconds) => {
      const all = Math.max(0, Math.round(seconds));
      const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
      const two = (value: number) => String(value).padStart(2, '0');
      return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
    },
    moment: (iso) => moment.format(new Date(iso)),
    date: (iso) => date.format(new Date(iso)),
    day: (iso) => day.format(new Date(iso)),
    time: (iso) => time.format(new Date(iso)),
    ago: (iso, now = Date.now()) => {
      // Two clocks: what the studio writes may lie a little ahead of this machine's.
      const seconds = Math.max(0, (now - new Date(iso).getTime()) / 1000);
      if (seconds < 60) return relative.format(0, 'second');
      if (seconds < 5400) return relative.format(-Math.round(seconds / 60), 'minute');
      if (seconds < 129_600) return relative.format(-Math.round(seconds / 3600), 'hour');
      return relative.format(-Math.round(seconds / 86_400), 'day');
    },
  };
}

export function useFormat(): Format {
  const { language } = useSpeech();
  return useMemo(() => formatFor(language), [language]);
}
