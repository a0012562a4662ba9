/** The studio asks who comes: one key, checked at once. */
import {
  Alert,
  Button,
  Group,
  Input,
  PasswordInput,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState, type FormEvent } from 'react';

import { unlock, type Lock } from '../api/access';
import { connection, originOf, pageConfig } from '../api/connection';
import { signIn } from '../api/me';
import { useTitle } from '../ui/title';
import { useWords } from '../words';
import { FullView } from './FullView';
import { SignInProblem } from './SignInProblem';
import { useCountdown } from './useCountdown';

// What a header may carry; anything else would fail before it is sent, and look like a studio that is away.
const SENDABLE = /^[\x21-\x7e]+$/;

export function SignIn({ lock, resumes = false }: { lock: Lock; resumes?: boolean }) {
  const { shell } = useWords();
  const { signIn: words } = shell;
  const queries = useQueryClient();
  const { changeable } = pageConfig();
  const keepLabel = useId();
  const [address, setAddress] = useState(connection().address);
  const [key, setKey] = useState('');
  const [kept, setKept] = useState<'tab' | 'device'>('tab');
  const [faults, setFaults] = useState<{ address?: string; key?: string }>({});
  const check = useMutation({
    mutationFn: (origin: string) => signIn({ address: origin, key: key.trim() }, kept === 'device', queries),
  });
  const left = useCountdown(check.error);
  useTitle(words.title);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const origin = changeable ? originOf(address) : connection().address;
    const found = {
      ...(origin === null ? { address: words.addressBad } : {}),
      ...(SENDABLE.test(key.trim()) ? {} : { key: words.keyBad }),
    };
    setFaults(found);
    if (origin !== null && Object.keys(found).length === 0) check.mutate(origin);
  };
  const ended = !lock.wished && resumes && connection().key !== '';
  return (
    <FullView>
      <form onSubmit={submit} noValidate className="card">
        <Stack gap="lg">
          <div>
            <Title order={1} size="h2">
              {words.title}
            </Title>
            <Text c="dimmed" mt={6}>
              {lock.wished ? words.wished : words.lead}
            </Text>
          </div>
          {ended && !check.error && (
            <Alert color="yellow" title={words.expired} role="status" className="notice">
              {words.draftKept}
            </Alert>
          )}
          {check.error && <SignInProblem error={check.error} left={left} address={check.variables ?? ''} />}
          {changeable && (
            <TextInput
              type="url"
              label={words.address}
              description={words.addressHint}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              placeholder="https://studio.example.org"
              value={address}
              onChange={(event) => setAddress(event.currentTarget.value)}
              error={faults.address}
              autoComplete="url"
              spellCheck={false}
            />
          )}
          <PasswordInput
            label={words.key}
            description={words.keyHint}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
            error={faults.key}
            autoComplete="current-password"
            name="key"
            autoFocus
            visibilityToggleButtonProps={{ 'aria-label': words.showKey }}
          />
          <div>
            <Input.Label component="div" id={keepLabel} mb={4}>
              {words.keep}
            </Input.Label>
            <SegmentedControl
              fullWidth
              aria-labelledby={keepLabel}
              value={kept}
              onChange={(value) => setKept(value as 'tab' | 'device')}
              data={[
                { value: 'tab', label: words.forTab },
                { value: 'device', label: words.onDevice },
              ]}
            />
          </div>
          <Group grow>
            {lock.wished && (
              <Button variant="default" onClick={unlock}>
                {words.cancel}
              </Button>
            )}
            <Button type="submit" loading={check.isPending} disabled={left > 0}>
              {words.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </FullView>
  );
}
