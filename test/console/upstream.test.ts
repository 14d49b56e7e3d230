import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort, startOpenidProvider, type TestProvider } from '../support/openid-provider.ts';
import { keepPicture, missingChromium, type Visitor } from './chromium.ts';
import { obstaclesOn } from './examine.ts';
import { type PeopleConsole, startPeopleConsole } from './people.ts';

const SECRET = `fake-${'s'.repeat(40)}`;

describe.skipIf(missingChromium() !== null)('an OpenID provider in a real browser', () => {
  let folder: string;
  let corp: TestProvider;
  let people: PeopleConsole;
  let visitor: Visitor;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-console-'));
    const file = join(folder, 'secret');
    await writeFile(file, SECRET);
    await chmod(file, 0o600);
    const port = await freePort();
    corp = await startOpenidProvider({
      callback: `http://localhost:${port}/upstream/corp/callback`,
      secret: SECRET,
      people: new Map([['ada', { email: 'ada@corp.example', email_verified: true, hd: 'corp.example' }]]),
    });
    const shared = { clientId: 'gate', clientSecretFile: file, allowPrivate: true };
    const provider = { name: 'corp', label: 'Example Corp', issuer: corp.issuer, ...shared };
    people = await startPeopleConsole({ SALLYPORT_PEOPLE_PROVIDERS: JSON.stringify([provider]) }, port);
  });
  afterAll(async () => {
    await people?.close();
    corp?.close();
    await rm(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    expect(visitor.faults()).toEqual([]);
    await visitor.close();
  });

  it('a linked user leaves by the button, comes back signed in, and nobody else does', async () => {
    visitor = await people.chromium.visitor({ width: 360, height: 740 });
    const { page } = visitor;
    await page.goto(people.address('/signin'));
    expect(await obstaclesOn(page)).toEqual([]);
    await keepPicture(page, 'sign-in-upstream');
    corp.state.person = 'ada';
    await page.getByRole('button', { name: 'Sign in with Example Corp' }).click();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    expect(await page.locator('.code').textContent()).toBe('ada');
    expect(await obstaclesOn(page)).toEqual([]);
    await keepPicture(page, 'upstream-unknown');
    const { id } = await people.addUser('ada');
    await people.admin('POST', `/users/${id}/link`, { provider: 'corp', subject: 'ada' });
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign in with Example Corp' }).click();
    await page.getByText('You are signed in as ada').waitFor();
  });
});
