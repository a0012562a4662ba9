/** Who opened a dialog gets the focus back when it is gone. Mantine does so for dialogs that are there while they
 * are closed, not for those that are made when they are wanted. */
import { useEffect, useState } from 'react';

export function useFocusBack(opened: boolean): void {
  // While it is drawn for the first time, what was pressed still has the focus.
  const [opener] = useState(() => (opened ? openerNow() : null));
  useEffect(() => () => void setTimeout(() => giveBack(opener)), [opener]);
}

/** An item of a menu is gone by then: the menu's button is meant. */
function openerNow(): Element | null {
  const { activeElement } = document;
  const button = activeElement?.closest('[role=menu]')?.getAttribute('aria-labelledby');
  return button ? document.getElementById(button) : activeElement;
}

function giveBack(opener: Element | null): void {
  const { activeElement, body } = document;
  // What has it by now, such as the heading of the next view, keeps it.
  const isFree = activeElement === null || activeElement === body;
  if (
    isFree &&
    opener instanceof HTMLElement &&
    opener.isConnected &&
    !document.querySelector('[role=dialog]')
  )
    opener.focus({ preventScroll: true });
}
