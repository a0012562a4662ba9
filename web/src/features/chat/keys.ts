/** What keys mean in a field for several lines of text. */
import type { KeyboardEvent } from 'react';

/** 229 is what a key means while an input method composes (UI Events, legacy key codes); Safari sends the Enter
 * that ends a composition after it has ended, with that code only. */
const composes = (event: KeyboardEvent) => event.nativeEvent.isComposing || event.keyCode === 229;

/** Enter without Shift. Never on a phone, whose keyboard has no Shift and Enter; there the button sends. */
export function sends(event: KeyboardEvent): boolean {
  if (event.key !== 'Enter' || event.shiftKey || composes(event)) return false;
  return !window.matchMedia('(pointer: coarse) and (hover: none)').matches;
}

/** Control and Enter, or Command and Enter, where Enter alone breaks the line. */
export function saves(event: KeyboardEvent): boolean {
  return event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !composes(event);
}

export function cancels(event: KeyboardEvent): boolean {
  return event.key === 'Escape' && !composes(event);
}
