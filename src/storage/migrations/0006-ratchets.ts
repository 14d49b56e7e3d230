import type { Migration } from './migration.ts';

/** Keys of agents that give way to another one with each use, so that a copy is noticed. */
export const ratchets: Migration = {
  number: 6,
  name: 'ratchets',
  statements: ({ text, integer, options }) => [
    `alter table agents add column ratchet ${integer} not null default 0 check (ratchet in (0, 1))`,
    `create table ratchets (
      tenant ${text} not null, agent_id ${text} not null, kid ${text} not null,
      step ${integer} not null, thumbprint ${text} not null, previous ${text} not null,
      primary key (tenant, agent_id, kid)
    )${options}`,
    // Keys that gave way: whoever shows one again has a copy, or was copied.
    `create table ratchet_keys (
      tenant ${text} not null, agent_id ${text} not null, kid ${text} not null, thumbprint ${text} not null,
      step ${integer} not null,
      primary key (tenant, agent_id, kid, thumbprint)
    )${options}`,
  ],
};
