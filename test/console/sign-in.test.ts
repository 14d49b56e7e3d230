import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keepPicture, type Look, missingChromium, type Visitor } from './chromium.ts';
import { obstaclesOn } from './examine.ts';
import { choosePassword, PASSWORD, type PeopleConsole, signIn, startPeopleConsole } from './people.ts';

describe.skipIf(missingChromium() !== null)('in a real browser', () => {
  let people: PeopleConsole;
  let visitor: Visitor;
  const open = async (path: string, look: Look = {}) => {
    visitor = await people.chromium.visitor(look);
    await visitor.page.goto(path.startsWith('http') ? path : people.address(path));
    return visitor.page;
  };
  const isSignedIn = async () => {
    await visitor.page.goto(people.address('/account'));
    return new URL(visitor.page.url()).pathname === '/account';
  };
  /** A user who chose PASSWORD in another browser. */
  const enrolElsewhere = async (name: string) => {
    const other = await people.chromium.visitor();
    await people.enrol(name, other);
    await other.close();
  };

  beforeAll(async () => {
    people = await startPeopleConsole();
  });
  afterAll(() => people?.close());
  afterEach(async () => {
    // No script failed, and the content policy stopped nothing.
    expect(visitor.faults()).toEqual([]);
    await visitor.close();
  });

  it('a user chooses a password by the link, signs out, and signs in with it', async () => {
    const user = await people.addUser('ada');
    const page = await open(user.link);
    await choosePassword(page, PASSWORD);
    await page.getByText('You are signed in as ada').waitFor();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.waitForURL('**/signin');
    expect(await isSignedIn()).toBe(false);
    await signIn(page, 'ada', PASSWORD);
    await page.getByText('You are signed in as ada').waitFor();
  });

  it('two passwords that differ, and one that is too short, are not taken', async () => {
    const user = await people.addUser('bert');
    const page = await open(user.link);
    await choosePassword(page, PASSWORD, `${PASSWORD}!`);
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('not the same');
    await choosePassword(page, 'short');
    // The browser itself keeps it: nothing was sent.
    expect(await page.getByLabel('Password, 15').evaluate((field) => field.matches(':invalid'))).toBe(true);
    expect(await isSignedIn()).toBe(false);
  });

  it('a wrong password is answered with a sentence that is read out, and nobody is signed in', async () => {
    await enrolElsewhere('cleo');
    const page = await open('/signin');
    await signIn(page, 'cleo', 'not the password of hers');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toBe('That name and that password do not belong together.');
    expect(await obstaclesOn(page)).toEqual([]);
    await keepPicture(page, 'sign-in-wrong');
    expect(await isSignedIn()).toBe(false);
  });

  it('who guesses is made to wait', async () => {
    await enrolElsewhere('dora');
    const page = await open('/signin');
    for (let guess = 0; guess < 6; guess += 1) {
      await signIn(page, 'dora', `wrong guess number ${guess}`);
      const told = page.getByRole('alert').or(page.getByText('Too many attempts'));
      await told.waitFor();
      if ((await page.getByText('Too many attempts').count()) > 0) break;
    }
    expect(await page.getByText('Too many attempts').count()).toBe(1);
    await page.goto(people.address('/signin'));
    await signIn(page, 'dora', PASSWORD);
    await page.getByText('Too many attempts').waitFor();
    expect(await isSignedIn()).toBe(false);
  });

  it('signing in takes a keyboard alone', async () => {
    await enrolElsewhere('emil');
    const page = await open('/signin');
    await page.keyboard.press('Tab');
    await page.keyboard.type('emil');
    await page.keyboard.press('Tab');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Tab');
    const focused = page.locator(':focus-visible');
    expect(await focused.textContent()).toBe('Sign in');
    expect(await focused.evaluate((button) => getComputedStyle(button).outlineStyle)).not.toBe('none');
    await page.keyboard.press('Enter');
    await page.getByText('You are signed in as emil').waitFor();
  });

  it('cookies of the sign-in are out of reach of scripts', async () => {
    const page = await open('/signin');
    await people.enrol('fay', visitor);
    expect(await page.evaluate(() => document.cookie)).toBe('');
    const cookies = await visitor.context.cookies();
    expect(cookies.map(({ name }) => name).sort()).toEqual(['sallyport-browser', 'sallyport-session']);
    expect(cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === 'Lax')).toBe(true);
  });

  describe.each<Required<Look>>([
    { width: 360, height: 740, colors: 'light' },
    { width: 360, height: 740, colors: 'dark' },
    { width: 1280, height: 800, colors: 'light' },
    { width: 1280, height: 800, colors: 'dark' },
  ])('at a width of $width, $colors', (look) => {
    it('everybody can use the pages', async () => {
      const name = `guest-${look.width}-${look.colors}`;
      const user = await people.addUser(name);
      const page = await open('/signin', look);
      expect(await obstaclesOn(page)).toEqual([]);
      await keepPicture(page, `sign-in-${look.width}-${look.colors}`);
      await page.goto(user.link);
      expect(await obstaclesOn(page)).toEqual([]);
      await keepPicture(page, `choose-${look.width}-${look.colors}`);
      await choosePassword(page, PASSWORD);
      await page.waitForURL('**/account');
      expect(await obstaclesOn(page)).toEqual([]);
      await keepPicture(page, `account-${look.width}-${look.colors}`);
    });
  });

  it('obstacles are found where there are some', async () => {
    const page = await open('/signin');
    await page.evaluate(() => {
      const main = document.querySelector('main');
      main?.append(Object.assign(document.createElement('input'), { type: 'text' }));
      const faint = Object.assign(document.createElement('p'), { textContent: 'faint' });
      faint.style.setProperty('color', '#ccc');
      const wide = document.createElement('div');
      wide.style.setProperty('width', '3000px');
      wide.style.setProperty('height', '1px');
      main?.append(faint, wide);
    });
    expect(await obstaclesOn(page)).toEqual([
      'a textbox has no name',
      expect.stringContaining('it is 3'),
      expect.stringContaining('“faint” has a contrast of 1.'),
    ]);
  });
});
