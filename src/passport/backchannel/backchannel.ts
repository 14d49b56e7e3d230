import type { Approvals } from '../../approvals/index.ts';

/** A person in whose name agents may ask for passports. */
export interface BackchannelUser {
  /** The `sub` of the passport. */
  readonly id: string;
  /** For people. */
  readonly name: string;
}

/** Where an agent hears that somebody has decided. */
export interface NotificationUrl {
  readonly url: string;
  readonly allowPrivate: boolean;
}

/** Sends one ping; rejects when it did not arrive. */
export type Notify = (
  ping: NotificationUrl & { readonly id: string; readonly token: string },
) => Promise<void>;

export interface BackchannelOptions {
  /** The same as for held calls. */
  readonly approvals: Approvals;
  /** By name or id; null: there is none, or none that may sign in. */
  readonly findUser: (hint: string) => Promise<BackchannelUser | null>;
  /** How many different people have to say yes. */
  readonly approvers: 1 | 2;
  /** By the name of the agent; null: it polls. */
  readonly notificationUrlOf: (agentName: string) => NotificationUrl | null;
  readonly notify: Notify;
  /** Whether any agent has such a place. */
  readonly pings: boolean;
}
