import { createTheme, Menu, Portal } from '@mantine/core';

/** System fonts that hold Hangul come first where they exist: nothing is fetched, nothing jumps. */
const FONTS =
  'Pretendard, "Apple SD Gothic Neo", "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", system-ui, sans-serif';

export const theme = createTheme({
  // Dialogs, menus and hints open inside a landmark (App.tsx): outside of all of them a screen reader's user who
  // walks from landmark to landmark misses them, and a dialog's header would count as the page's own.
  components: {
    Portal: Portal.extend({ defaultProps: { target: '#overlays' } }),
    // The placeholder would be a child of the menu that is no item of it.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
  },
  primaryColor: 'cyan',
  colors: {
    dark: [
      '#dde3e8',
      '#b4bdc6',
      '#a3adb6',
      '#919ba5',
      '#3a424a',
      '#2c333a',
      '#20262c',
      '#15191d',
      '#101418',
      '#0b0e11',
    ],
  },
  // Filled and light variants reach a contrast of 4.5:1 (WCAG 2.2, 1.4.3) only from this shade on.
  primaryShade: 9,
  autoContrast: true,
  respectReducedMotion: true,
  defaultRadius: 'md',
  fontFamily: FONTS,
  headings: { fontFamily: FONTS, fontWeight: '650' },
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "JetBrains Mono", Menlo, "Noto Sans Mono CJK KR", monospace',
});
