/** Whoever goes to another view by keyboard or ear goes on at its heading, not at the link that they pressed. */
import { useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';

export function focusMain(): void {
  focus(document.getElementById('main'));
}

export function useFocusOnNavigation(): void {
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe('onRendered', ({ fromLocation, toLocation }) => {
        if (!fromLocation || !isAnotherView(fromLocation.pathname, toLocation.pathname)) return;
        focus(document.querySelector<HTMLElement>('#main h1') ?? document.getElementById('main'));
      }),
    [router],
  );
}

/** The chat changes its address while somebody writes, and looks after its own focus. */
export function isAnotherView(from: string, to: string): boolean {
  return from !== to && !(isChat(from) && isChat(to));
}

const isChat = (path: string) => path === '/chat' || path.startsWith('/chat/');

function focus(element: HTMLElement | null): void {
  if (!element) return;
  if (!element.hasAttribute('tabindex')) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}
