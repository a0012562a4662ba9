export const markdown = {
  copyCode: 'Copy the code',
  codeIn: (language: string) => `Code: ${language}`,
  code: 'Code',
  table: 'Table',
  image: 'Image, not loaded',
  footnotes: 'Notes',
  unseen: 'A character that cannot be seen, shown by its number',
  done: 'done',
  open: 'open',
};
