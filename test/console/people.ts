import type { Page } from 'playwright-core';
import { objectOf, startAdminApi } from '../unit/admin/api-server.ts';
import { startChromium, type Visitor } from './chromium.ts';

export const PASSWORD = 'four visibly fake words';

export type PeopleConsole = Awaited<ReturnType<typeof startPeopleConsole>>;

/** A real service, and a real browser that people use it with. `port`: of the service. */
export async function startPeopleConsole(settings: Readonly<Record<string, string>> = {}, port?: number) {
  const api = await startAdminApi(settings, { byName: true, ...(port === undefined ? {} : { port }) });
  const chromium = await startChromium();
  const admin = (method: string, path: string, body?: unknown) =>
    api.send(method, path, { token: api.token, ...(body === undefined ? {} : { body }) });

  const addUser = async (name: string) => {
    const { json } = await admin('POST', '/users', { name, displayName: `User ${name}` });
    return { id: String(objectOf(json?.user).id), name, link: String(json?.link) };
  };
  /** A new user whose password is PASSWORD, signed in. */
  const enrol = async (name: string, visitor: Visitor) => {
    const user = await addUser(name);
    await visitor.page.goto(user.link);
    await choosePassword(visitor.page, PASSWORD);
    await visitor.page.waitForURL('**/account');
    return user;
  };
  return {
    api,
    chromium,
    admin,
    addUser,
    enrol,
    address: (path: string) => `${api.controlUrl}${path}`,
    close: async () => {
      await chromium.close();
      await api.close();
    },
  };
}

export async function choosePassword(page: Page, password: string, again = password): Promise<void> {
  await page.getByLabel('Password, 15 characters or more').fill(password);
  await page.getByLabel('Once more').fill(again);
  await page.getByRole('button', { name: 'Go on' }).click();
}

export async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
