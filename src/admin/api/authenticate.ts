import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../core/index.ts';
import type { AdminRole } from '../store.ts';
import type { AdminIdentity, AdminTokens } from '../tokens.ts';

/** The administrator behind a request. Throws Refusal `admin_unauthenticated`, alike for every cause. */
export async function authenticate(
  request: IncomingMessage,
  o: { readonly tokens: AdminTokens; readonly tenant: string },
): Promise<AdminIdentity> {
  // Node joins nothing here: of several Authorization fields it keeps the first, so two are refused.
  const fields = request.headersDistinct.authorization ?? [];
  const match = fields.length === 1 ? /^Bearer ([A-Za-z0-9_-]{1,128})$/i.exec(fields[0] ?? '') : null;
  const admin = match?.[1] === undefined ? null : await o.tokens.identify(match[1]);
  if (admin === null || admin.tenant !== o.tenant) throw new Refusal('admin_unauthenticated');
  return admin;
}

export function authorize(admin: AdminIdentity, roles: readonly AdminRole[]): void {
  if (roles.includes(admin.role)) return;
  throw new Refusal('admin_forbidden', {
    detail: `This token has the role ${admin.role}; needed: ${roles.join(' or ')}.`,
  });
}
