/** Which conversation this is, and whether a second variant answers beside the first. */
import { ActionIcon, Button, Group, Menu, Text, Title, Tooltip } from '@mantine/core';
import { IconColumns2, IconMessages, IconPlus, IconX } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';

import { useWords } from '../../words';
import classes from './chat.module.css';
import { dropUnkept } from './turns';
import type { Conversation } from './useConversation';

export function ConversationHead({
  conversation,
  onList,
}: {
  conversation: Conversation;
  onList: () => void;
}) {
  const { chat } = useWords();
  const { sessionId, session, answerers, chosen, choose } = conversation;
  const unnamed = session.error ? chat.title : sessionId ? chat.sessions.untitled : chat.sessions.create;
  const title = session.data?.title || unnamed;
  return (
    <Group className={classes.head ?? ''} justify="space-between" wrap="nowrap" gap="xs">
      <Group gap="xs" wrap="nowrap" miw={0}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          // The list makes room for an open source.
          {...(conversation.source.opened ? {} : { hiddenFrom: 'md' })}
          onClick={onList}
          aria-label={chat.sessions.open}
        >
          <IconMessages size={18} aria-hidden />
        </ActionIcon>
        <Title order={2} size="h5" fw={600} lineClamp={1} id="conversation" className="words" title={title}>
          {session.isPending && sessionId ? '\u00a0' : title}
        </Title>
      </Group>
      <Group gap="xs" wrap="nowrap">
        {chosen.beside ? (
          <Button
            size="xs"
            variant="light"
            leftSection={<IconX size={14} aria-hidden />}
            onClick={() => choose('beside', null)}
          >
            {chat.beside.off}
          </Button>
        ) : (
          answerers.length > 0 && (
            <Menu position="bottom-end" shadow="md">
              <Menu.Target>
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<IconColumns2 size={14} aria-hidden />}
                  className={classes.shrinking ?? ''}
                >
                  <span className={classes.wideOnly}>{chat.beside.label}</span>
                </Button>
              </Menu.Target>
              <Menu.Dropdown mah="60vh" style={{ overflowY: 'auto' }}>
                <Menu.Label>{chat.beside.choose}</Menu.Label>
                {answerers.map(({ name, base }) => (
                  <Menu.Item key={name} onClick={() => choose('beside', name)}>
                    <Text size="sm" className="words">
                      {name}
                    </Text>
                    {base !== name && (
                      <Text size="xs" c="dimmed" className="words">
                        {base}
                      </Text>
                    )}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          )
        )}
        <Tooltip label={chat.sessions.create}>
          <ActionIcon
            component={Link}
            to="/chat"
            variant="default"
            size={30}
            hiddenFrom="md"
            onClick={dropUnkept}
            aria-label={chat.sessions.create}
          >
            <IconPlus size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
    </Group>
  );
}
