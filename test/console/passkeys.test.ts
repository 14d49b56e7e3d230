import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openShop } from '../support/acting-agent.ts';
import { listOf } from '../unit/admin/api-server.ts';
import { keepPicture, type Look, missingChromium, type Visitor } from './chromium.ts';
import { obstaclesOn } from './examine.ts';
import { PASSWORD, type PeopleConsole, startPeopleConsole } from './people.ts';

describe.skipIf(missingChromium() !== null)('passkeys and approvals in a real browser', () => {
  let people: PeopleConsole;
  let shop: Awaited<ReturnType<typeof openShop>>;
  let visitor: Visitor;

  beforeAll(async () => {
    people = await startPeopleConsole();
    shop = await openShop(people.api);
  });
  afterAll(async () => {
    shop?.close();
    await people?.close();
  });
  afterEach(async () => {
    expect(visitor.faults()).toEqual([]);
    await visitor.close();
  });

  /** A browser whose platform has an authenticator that knows its user. */
  async function open(look: Look = {}) {
    visitor = await people.chromium.visitor(look);
    const devtools = await visitor.context.newCDPSession(visitor.page);
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return { page: visitor.page, devtools, authenticatorId };
  }

  async function waitingFor(userId: string): Promise<string> {
    const { json } = await people.admin('GET', '/approvals?status=pending&limit=200');
    const found = listOf(json, 'items').filter(({ user }) => user === userId);
    return people.address(`/approvals/${found.at(-1)?.id}`);
  }

  it('a user comes in by the link with a passkey, signs out, and signs in with it', async () => {
    const { page } = await open();
    const user = await people.addUser('ada');
    await page.goto(user.link);
    await page.getByRole('button', { name: 'Use a passkey in place of a password' }).click();
    await page.waitForURL('**/account');
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.waitForURL('**/signin');
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('You are signed in as ada').waitFor();
  });

  it('an authenticator that does not know who holds it makes no passkey, and the page says so', async () => {
    const { page, devtools, authenticatorId } = await open();
    await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    const user = await people.addUser('bert');
    await page.goto(user.link);
    await page.getByRole('button', { name: 'Use a passkey in place of a password' }).click();
    await page.getByText('No passkey was used.').waitFor();
    expect(new URL(page.url()).pathname).toContain('/enrol/');
  });

  it('a passkey is added beside the password, renamed, used and removed', async () => {
    const { page } = await open();
    await people.enrol('cleo', visitor);
    await page.getByRole('link', { name: 'How you sign in' }).click();
    await page.getByLabel('What you call the new passkey').fill('Laptop');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('Laptop, added').waitFor();
    expect(await obstaclesOn(page)).toEqual([]);
    await keepPicture(page, 'ways');
    await page.getByLabel('Name of Laptop').fill('Old laptop');
    await page.getByRole('button', { name: 'Rename Laptop' }).click();
    await page.getByText('Old laptop, added').waitFor();
    await page.goto(people.address('/signin?continue=/account/sign-in'));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText(/last used \d{4}/).waitFor();
    await page.getByRole('button', { name: 'Remove Old laptop' }).click();
    await page.getByText('You have none.').waitFor();
  });

  it('the copy of a passkey, told by its counter, signs nobody in', async () => {
    const { page, devtools, authenticatorId } = await open();
    const user = await people.addUser('dora');
    await page.goto(user.link);
    await page.getByRole('button', { name: 'Use a passkey in place of a password' }).click();
    await page.waitForURL('**/account');
    const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
    const [copy] = credentials;
    if (copy === undefined) throw new Error('the authenticator holds no passkey');
    const signIn = async () => {
      await page.goto(people.address('/signin'));
      await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    };
    await signIn();
    await page.waitForURL('**/account');
    await devtools.send('WebAuthn.removeCredential', { authenticatorId, credentialId: copy.credentialId });
    await devtools.send('WebAuthn.addCredential', { authenticatorId, credential: { ...copy, signCount: 0 } });
    await signIn();
    await page.getByText('That passkey was not accepted.').waitFor();
  });

  it('a passkey approves what is shown, and it is done once', async () => {
    const { page } = await open();
    const user = await people.addUser('emil');
    await page.goto(user.link);
    await page.getByRole('button', { name: 'Use a passkey in place of a password' }).click();
    await page.waitForURL('**/account');
    const agent = await shop.newAgent('tidy-shop', 'keeps the shop tidy');
    const question = await agent.ask('emil', { binding_message: 'Spring cleaning' });
    await page.reload();
    await page.getByRole('link', { name: 'tidy-shop wants a passport in your name' }).click();
    expect(await page.getByText('Spring cleaning').count()).toBe(1);
    await page.getByRole('button', { name: 'Approve with a passkey' }).click();
    await page.getByText('Approved by emil').waitFor();
    const { body } = await agent.redeem(question);
    const call = () => agent.call(String(body.access_token), 'POST', '/orders', '{"item":"lamp"}');
    await page.goto(String((await call()).json.approvalUrl));
    await page.getByRole('button', { name: 'Approve with a passkey' }).click();
    await page.getByText('Approved by emil').waitFor();
    expect((await call()).text).toBe('done POST');
    expect((await call()).json.code).toBe('approval_required');
    await page.getByRole('link', { name: 'Your account' }).click();
    await page.getByRole('button', { name: 'End this of tidy-shop' }).click();
    await page.getByText('No agent holds anything in your name now.').waitFor();
    expect((await call()).json.code).toBe('passport_revoked');
  });

  it('a denial takes a click and tells why', async () => {
    const { page } = await open();
    const user = await people.enrol('fay', visitor);
    await (await shop.newAgent('agent-of-fay')).ask('fay');
    await page.goto(await waitingFor(user.id));
    await page.getByLabel(/Why, for the agent/).fill('not today');
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByText('Denied by fay').waitFor();
    expect(await page.getByRole('status').textContent()).toContain('not today');
  });

  it('markup that an agent sends is shown and does nothing', async () => {
    const { page } = await open();
    const user = await people.enrol('gina', visitor);
    let dialogs = 0;
    page.on('dialog', (dialog) => {
      dialogs += 1;
      void dialog.dismiss();
    });
    const agent = await shop.newAgent('sly');
    const question = await agent.ask('gina', { binding_message: '<img src=x onerror=alert(1)>' });
    await page.goto(await waitingFor(user.id));
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await page.getByText('Approved by gina').waitFor();
    const { body } = await agent.redeem(question);
    const sent = '</pre><script>alert(2)</script><svg onload=alert(3)>';
    const held = await agent.call(String(body.access_token), 'POST', '/a?q=%3Cscript%3E', sent);
    await page.goto(String(held.json.approvalUrl));
    expect(await page.locator('pre').first().textContent()).toBe(sent);
    expect(await page.locator('main img, main svg, main script').count()).toBe(0);
    expect(dialogs).toBe(0);
  });

  it.each<Required<Look>>([
    { width: 360, height: 740, colors: 'light' },
    { width: 360, height: 740, colors: 'dark' },
    { width: 1280, height: 800, colors: 'light' },
    { width: 1280, height: 800, colors: 'dark' },
  ])('everybody can use the pages at a width of $width, $colors', async (look) => {
    const { page } = await open(look);
    const name = `guest-${look.width}-${look.colors}`;
    const user = await people.enrol(name, visitor);
    const agent = await shop.newAgent(`agent-of-${name}`, 'keeps the shop tidy');
    const question = await agent.ask(name, { binding_message: 'Spring cleaning' });
    await page.goto(await waitingFor(user.id));
    expect(await obstaclesOn(page)).toEqual([]);
    await keepPicture(page, `asked-${look.width}-${look.colors}`);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByText(`Approved by ${name}`).waitFor();
    const { body } = await agent.redeem(question);
    const order = JSON.stringify({ item: 'lamp', note: 'long '.repeat(80) });
    const path = `/orders/${'very-long-name-'.repeat(12)}?kind=new`;
    const held = await agent.call(String(body.access_token), 'POST', path, order);
    await page.goto(String(held.json.approvalUrl));
    expect(await obstaclesOn(page)).toEqual([]);
    await keepPicture(page, `held-${look.width}-${look.colors}`);
    await page.goto(people.address('/account'));
    expect(await obstaclesOn(page)).toEqual([]);
    await keepPicture(page, `agents-${look.width}-${look.colors}`);
    await page.goto(people.address('/account/sign-in'));
    expect(await obstaclesOn(page)).toEqual([]);
    await keepPicture(page, `ways-${look.width}-${look.colors}`);
  });
});
