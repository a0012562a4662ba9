/** What turns a gain: drag up and down, arrow keys, Home and End, 0 and 1. As an ARIA slider. */
import type { KeyboardEvent, PointerEvent } from 'react';

import { HIGHEST, LEAP, LOWEST, rounded, STEP } from './board';

interface Knob {
  gain: number;
  onTurn: (gain: number) => void;
  label: string;
  text: string;
}

const SPAN = HIGHEST - LOWEST;

export function knob({ gain, onTurn, label, text }: Knob) {
  return {
    role: 'slider',
    tabIndex: 0,
    'aria-label': label,
    'aria-orientation': 'vertical',
    'aria-valuemin': LOWEST,
    'aria-valuemax': HIGHEST,
    'aria-valuenow': gain,
    'aria-valuetext': text,
    onKeyDown: (event: KeyboardEvent) => {
      const next = turnedBy(event.key, gain);
      if (next === null || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      onTurn(rounded(next));
    },
  } as const;
}

export function turnedBy(key: string, gain: number): number | null {
  switch (key) {
    case 'ArrowUp':
    case 'ArrowRight':
      return gain + STEP;
    case 'ArrowDown':
    case 'ArrowLeft':
      return gain - STEP;
    case 'PageUp':
      return gain + LEAP;
    case 'PageDown':
      return gain - LEAP;
    case 'Home':
      return LOWEST;
    case 'End':
      return HIGHEST;
    case '0':
      return 0;
    case '1':
    case 'Delete':
    case 'Backspace':
      return 1;
    default:
      return null;
  }
}

/** The gain at a pointer inside the element that the drag began in. */
export function drag(onTurn: (gain: number) => void) {
  const turn = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = 1 - (event.clientY - box.top) / box.height;
    // In steps that keys reach too.
    onTurn(rounded(Math.round((LOWEST + SPAN * share) / STEP) * STEP));
  };
  return {
    onPointerDown: (event: PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      turn(event);
    },
    onPointerMove: (event: PointerEvent<HTMLElement>) => {
      if (event.currentTarget.hasPointerCapture(event.pointerId)) turn(event);
    },
  };
}

/** Where a gain stands between top and bottom, in percent from the top. */
export const placeOf = (gain: number): number => ((HIGHEST - gain) / SPAN) * 100;
