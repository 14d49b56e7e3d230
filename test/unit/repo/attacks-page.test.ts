import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasTest } from '../../support/claims.ts';
import { repositoryRoot } from '../../support/shared.ts';

const page = readFileSync(join(repositoryRoot, 'docs/attacks.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| report'))
  .map((line) => {
    const [report = '', , test = ''] = line.slice(2, -2).split(' | ');
    const [, file = '', name = ''] = /^`(test\/attack\/[^`]+)`: (.+)$/.exec(test) ?? [];
    return { report, file, name };
  });

/** Reports that the tests must try: each stands in the page and in the name of a test. */
const REPORTS = [
  ...['CVE-2024-6587', 'CVE-2026-49468', 'GHSA-4xpc-pv4p-pm3w', 'CVE-2026-40575', 'CVE-2025-64484'],
  ...['CVE-2025-48865', 'CVE-2026-42208', 'GHSA-r75f-5x8p-qvmc', 'CVE-2019-9901', 'OpenShell #878'],
  ...['OpenShell #2699', 'OpenSandbox #1192', 'vm0 #15532', 'kortix/suna #5710', 'Claude Code sandbox'],
  ...['CVE-2025-66479', 'GHSA-489g-7rxv-6c8q', 'CVE-2026-47390', 'openclaw/crabbox #598'],
  ...['openclaw/crabbox #521', 'openclaw/crabbox #1031', 'Infisical/agent-vault #258'],
  ...['denoland/clawpatrol #313', 'stacklok/toolhive #5293', 'claudecode_webui #1073'],
  ...['vercel-labs/agent-eval #186', 'GHSA-m8wm-r5vq-qjpg', 'GHSA-4jpw-hj22-2xmc', 'GHSA-rqpp-rjj8-7wv8'],
  ...['GHSA-whf9-3hcx-gq54', 'CVE-2025-62705', 'Teleport #56630', 'CVE-2026-5807'],
  ...['denoland/clawpatrol #193', 'Composio', 'LiteLLM 1.82.7', 'docker/sbx-releases #574', 'nono #982'],
  ...['Infisical #8130', 'Agent Vault', 'OneCLI'],
  ...['#40', '#46', '#101', '#104', '#106', '#108', '#120', '#124'],
];

describe('docs/attacks.md', () => {
  it('names tests that exist and are run', () => {
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.filter(({ file, name }) => !hasTest(file, name))).toEqual([]);
  });

  it('has every report, and a test that carries its id', () => {
    const missing = REPORTS.filter(
      (id) => !rows.some(({ report, name }) => report.includes(id) && hasWord(name, id)),
    );
    expect(missing).toEqual([]);
  });

  it('lists no report whose test does not name it', () => {
    const nameless = rows.filter(({ report, name }) => !hasWord(name, report.split(/,| \(/)[0] ?? ''));
    expect(nameless).toEqual([]);
  });
});

/** The id, not the beginning of a longer number. */
function hasWord(text: string, id: string): boolean {
  const at = text.indexOf(id);
  return id !== '' && at >= 0 && !/\d/.test(text[at + id.length] ?? '');
}
