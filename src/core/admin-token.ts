/** Name of the file in the keys folder in which the CLI on this machine looks for an admin token. */
export const ADMIN_TOKEN_FILE = 'admin-token';

const FORM = /^sp_admin_[A-Za-z0-9_-]{43}$/;

/** Whether a text has the form of an admin token. */
export function isAdminToken(text: string): boolean {
  return FORM.test(text);
}
