import type { Migration } from './migration.ts';

/** Certificates that agents authenticate with, and that passports are bound to (RFC 8705). */
export const certificates: Migration = {
  number: 5,
  name: 'certificates',
  statements: ({ text }) => [
    `alter table agents add column certificates ${text} not null default '[]'`,
    `alter table passports add column x5t ${text}`,
  ],
};
