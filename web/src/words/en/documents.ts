export const documents = {
  title: 'Documents',
  lead: 'What the studio answers from. A collection holds documents that are searched together.',
};
