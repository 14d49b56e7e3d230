import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { objectOf } from '../unit/admin/api-server.ts';
import { keepPicture, type Look, missingChromium, type Visitor } from './chromium.ts';
import { obstaclesOn } from './examine.ts';
import { PASSWORD, type PeopleConsole, signIn, startPeopleConsole } from './people.ts';

const DETAILS = [
  { type: 'tool_call', service: 'github', method: 'PUT', path: '/repos/acme/*', max_calls: 3 },
  { type: 'tool_call', service: 'github', arguments: { 'body.amount': { max: 100 } } },
];

describe.skipIf(missingChromium() !== null)('consent in a real browser', () => {
  let people: PeopleConsole;
  let visitor: Visitor;
  let program: Server;
  let redirect: string;
  let agentId: string;
  let users = 0;

  beforeAll(async () => {
    people = await startPeopleConsole();
    // The program on the user's machine that waits for its answer.
    program = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(
        '<!doctype html><html lang="en"><title>Back</title><link rel="icon" href="data:,"><p>back</p>',
      );
    });
    await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
    redirect = `http://127.0.0.1:${(program.address() as AddressInfo).port}/callback`;
    const { json } = await people.admin('POST', '/agents', {
      name: 'desktop',
      owner: 'team-a',
      purpose: 'mends issues of the repositories that you own',
      scopes: ['github:read', 'github:write'],
      redirectUris: ['http://127.0.0.1/callback'],
      device: true,
      publicClient: true,
    });
    agentId = String(objectOf(json?.agent).id);
  });
  afterAll(async () => {
    program?.close();
    await people?.close();
  });
  afterEach(async () => {
    // No script failed, and the content policy stopped nothing.
    expect(visitor.faults()).toEqual([]);
    await visitor.close();
  });

  const authorize = (more: Record<string, string> = {}) =>
    people.address(
      `/authorize?${new URLSearchParams({
        response_type: 'code',
        client_id: agentId,
        redirect_uri: redirect,
        state: 'a state & more',
        code_challenge: createHash('sha256').update(randomBytes(8)).digest('base64url'),
        code_challenge_method: 'S256',
        ...more,
      })}`,
    );
  /** A user with a password, and a browser that is not signed in. */
  const newUser = async (look: Look = {}) => {
    users += 1;
    const name = `guest-${users}`;
    const other = await people.chromium.visitor();
    const user = await people.enrol(name, other);
    await other.close();
    visitor = await people.chromium.visitor(look);
    return user;
  };
  const back = async (page: Page) => {
    await page.waitForURL(`${redirect}**`);
    return new URL(page.url()).searchParams;
  };
  const live = async (user: { readonly id: string }) => {
    const { json } = await people.admin('GET', `/grants?user=${user.id}`);
    return json?.items;
  };

  it('a person is led to the sign-in and back, takes off what is not needed, allows, and is back at the program', async () => {
    const user = await newUser();
    const { page } = visitor;
    await page.goto(authorize({ authorization_details: JSON.stringify(DETAILS) }));
    await signIn(page, user.name, PASSWORD);
    await page.getByRole('heading', { name: 'May this agent act for you?' }).waitFor();
    expect(await obstaclesOn(page)).toEqual([]);
    await page.getByLabel('github: write').uncheck();
    await page.getByLabel('PUT requests to github, path /repos/acme/*, 3 times at most').uncheck();
    await page.getByLabel('For how long').selectOption({ label: 'for 1 hour' });
    await page.getByRole('button', { name: 'Allow' }).click();
    const answer = await back(page);
    expect([answer.get('state'), answer.get('iss'), answer.get('code')?.length]).toEqual([
      'a state & more',
      people.api.controlUrl,
      43,
    ]);
    expect(await live(user)).toEqual([
      expect.objectContaining({ agentId, scopes: ['github:read'], details: [DETAILS[1]], origin: 'code' }),
    ]);
  });

  it('a no goes back to the program, and nothing is allowed', async () => {
    const user = await newUser();
    const { page } = visitor;
    await page.goto(authorize());
    await signIn(page, user.name, PASSWORD);
    await page.getByRole('button', { name: 'Deny' }).click();
    expect((await back(page)).get('error')).toBe('access_denied');
    expect(await live(user)).toEqual([]);
  });

  it('with a keyboard alone', async () => {
    const user = await newUser();
    const { page } = visitor;
    await page.goto(authorize());
    await signIn(page, user.name, PASSWORD);
    await page.getByRole('heading', { name: 'May this agent act for you?' }).waitFor();
    const focused = page.locator(':focus-visible');
    for (let presses = 0; presses < 10; presses += 1) {
      await page.keyboard.press('Tab');
      if ((await focused.textContent()) === 'Allow') break;
    }
    expect(await focused.textContent()).toBe('Allow');
    await page.keyboard.press('Enter');
    expect((await back(page)).get('code')).not.toBeNull();
  });

  it('whoever takes everything off is told so, and stays', async () => {
    const user = await newUser();
    const { page } = visitor;
    await page.goto(authorize({ scope: 'github:read' }));
    await signIn(page, user.name, PASSWORD);
    await page.getByLabel('github: read').uncheck();
    await page.getByRole('button', { name: 'Allow' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('Leave something');
    expect(await live(user)).toEqual([]);
  });

  it('a page of somebody else can neither frame it nor answer it', async () => {
    const user = await newUser();
    const { page } = visitor;
    await page.goto(authorize());
    await signIn(page, user.name, PASSWORD);
    await page.getByRole('heading', { name: 'May this agent act for you?' }).waitFor();
    const address = page.url();
    const stranger = await visitor.context.newPage();
    await stranger.goto(redirect);
    await stranger.setContent(
      `<iframe src="${address}"></iframe><form method="post" action="${address}"><input name="decision" value="allow"><button>go</button></form>`,
    );
    await stranger.getByRole('button', { name: 'go' }).click();
    await stranger.waitForURL(address);
    expect(await stranger.getByText('out of date').count()).toBe(1);
    expect(await live(user)).toEqual([]);
    await stranger.close();
  });

  it('a device goes on when a person types its code', async () => {
    const user = await newUser();
    const { page } = visitor;
    const asked = await fetch(people.address('/device_authorization'), {
      method: 'POST',
      body: new URLSearchParams({ client_id: agentId, scope: 'github:read' }),
    });
    const { user_code: code } = (await asked.json()) as { user_code: string };
    await page.goto(people.address('/device'));
    await signIn(page, user.name, PASSWORD);
    await page.getByLabel('Code').fill('BBBB-BBBB');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('alert').waitFor();
    expect(await obstaclesOn(page)).toEqual([]);
    await page.getByLabel('Code').fill(code.toLowerCase());
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('go back to your device').waitFor();
    expect(await live(user)).toEqual([
      expect.objectContaining({ origin: 'device', scopes: ['github:read'] }),
    ]);
  });

  describe.each<Required<Look>>([
    { width: 360, height: 740, colors: 'light' },
    { width: 360, height: 740, colors: 'dark' },
    { width: 1280, height: 800, colors: 'light' },
    { width: 1280, height: 800, colors: 'dark' },
  ])('at a width of $width, $colors', (look) => {
    it('everybody can use the pages', async () => {
      const user = await newUser(look);
      const { page } = visitor;
      await page.goto(authorize({ authorization_details: JSON.stringify(DETAILS) }));
      await signIn(page, user.name, PASSWORD);
      await page.getByRole('heading', { name: 'May this agent act for you?' }).waitFor();
      expect(await obstaclesOn(page)).toEqual([]);
      await keepPicture(page, `consent-${look.width}-${look.colors}`);
      await page.goto(people.address('/device'));
      expect(await obstaclesOn(page)).toEqual([]);
      await keepPicture(page, `device-${look.width}-${look.colors}`);
    });
  });
});
