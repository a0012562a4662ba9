import { Group, Text } from '@mantine/core';

export function Brand() {
  return (
    <Group gap={8} wrap="nowrap" component="span">
      <img src="/icon.svg" width={26} height={26} alt="" />
      <Text fw={700} size="lg" span>
        Twotrack
      </Text>
    </Group>
  );
}
