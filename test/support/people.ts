import { objectOf, type startAdminApi } from '../unit/admin/api-server.ts';
import { type Asked, TestAuthenticator, type Twist } from './authenticator.ts';
import { TestBrowser, type Visited } from './browser.ts';

export const PASSWORD = 'four visibly fake words';

type Api = Awaited<ReturnType<typeof startAdminApi>>;

/** Users of a service, as they come in over HTTP. */
export function peopleOf(api: Api) {
  const admin = (method: string, path: string, body?: unknown) =>
    api.send(method, path, { token: api.token, ...(body === undefined ? {} : { body }) });
  const newBrowser = () => new TestBrowser(api.controlUrl);

  const addUser = async (name: string) => {
    const { json } = await admin('POST', '/users', { name, displayName: `User ${name}` });
    return { id: String(objectOf(json?.user).id), name, link: String(json?.link) };
  };
  /** A new user whose password is PASSWORD, signed in. */
  const withPassword = async (name: string) => {
    const user = await addUser(name);
    const browser = newBrowser();
    await browser.submit(await browser.visit(user.link), { password: PASSWORD, again: PASSWORD });
    return { ...user, browser };
  };
  /** A new user who has a passkey and nothing else, signed in. */
  const withPasskey = async (name: string) => {
    const user = await addUser(name);
    const browser = newBrowser();
    const authenticator = new TestAuthenticator(api.controlUrl);
    const page = await browser.visit(user.link);
    const done = await browser.submit(
      page,
      { credential: authenticator.create(asksIn(page)) },
      { form: formIn(page) },
    );
    return { ...user, browser, authenticator, done };
  };
  return { admin, newBrowser, addUser, withPassword, withPasskey };
}

/** Which form of a page asks for a passkey. */
export function formIn(page: Visited): number {
  return page.forms.findIndex(({ passkey }) => passkey !== null);
}

export function asksIn(page: Visited): Asked {
  const asked = page.forms[formIn(page)]?.passkey;
  if (asked == null) throw new Error(`nothing asks for a passkey on ${page.url}`);
  return asked;
}

/** Signs in on a page that was loaded before. */
export function usePasskey(
  browser: TestBrowser,
  page: Visited,
  authenticator: TestAuthenticator,
  twist: Twist = {},
): Promise<Visited> {
  const credential = authenticator.get(asksIn(page), twist);
  return browser.submit(page, { credential }, { form: formIn(page) });
}

export async function isIn(browser: TestBrowser): Promise<boolean> {
  return (await browser.visit('/account')).text.includes('You are signed in as');
}
