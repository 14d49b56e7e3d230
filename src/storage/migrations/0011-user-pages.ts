import type { Migration } from './migration.ts';

/** What people see on their own pages, found by their name. */
export const userPages: Migration = {
  number: 11,
  name: 'user-pages',
  statements: () => [
    `create index approvals_user on approvals (tenant, user_id, status, id) where user_id is not null`,
    `create index passports_user on passports (tenant, user_id, issued_at, jti) where user_id is not null`,
  ],
};
