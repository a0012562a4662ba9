/** A block of code: its language, a button that copies it as it was written, and the code itself. */
import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { ReactNode } from 'react';

import { useWords } from '../words';
import classes from './Markdown.module.css';

export function MarkdownCode(props: { language: string; source: string; children: ReactNode }) {
  const { markdown, jobs } = useWords();
  const label = props.language ? markdown.codeIn(props.language) : markdown.code;
  return (
    <div className={classes.code} dir="ltr">
      <div className={classes.codeHead}>
        <span>{props.language}</span>
        <CopyButton value={props.source}>
          {({ copied, copy }) => (
            <Tooltip label={copied ? jobs.copied : markdown.copyCode}>
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                onClick={copy}
                aria-label={markdown.copyCode}
              >
                {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
              </ActionIcon>
            </Tooltip>
          )}
        </CopyButton>
      </div>
      {/* It scrolls sideways, so the keyboard must be able to reach it. */}
      <pre tabIndex={0} role="group" aria-label={label}>
        {props.children}
      </pre>
    </div>
  );
}
