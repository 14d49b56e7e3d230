import type { Migration } from './migration.ts';

/** What the active hours of each agent looked like. */
export const habits: Migration = {
  number: 9,
  name: 'habits',
  statements: ({ text, integer, options }) => [
    `create table habits (
      tenant ${text} not null, agent_id ${text} not null, habits ${text} not null, at ${integer} not null,
      primary key (tenant, agent_id)
    )${options}`,
  ],
};
