import { Anchor, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';

import { useTitle } from '../ui/title';
import { useWords } from '../words';

export function NotFoundView() {
  const { shell } = useWords();
  useTitle(shell.notFound);
  return (
    <Stack align="flex-start" p="lg">
      <Title order={1}>{shell.notFound}</Title>
      <Text>{shell.notFoundHint}</Text>
      <Anchor component={Link} to="/">
        {shell.home}
      </Anchor>
    </Stack>
  );
}
