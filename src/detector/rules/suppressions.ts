import type { Suppression } from './rule.ts';

interface Asked {
  readonly rule: string;
  readonly agentId: string;
  readonly service: string;
  readonly now: number;
}

/** Whether a finding is one that somebody has accepted, for a reason and until a day. */
export function suppressionsOf(suppressions: readonly Suppression[]): (asked: Asked) => boolean {
  const byRule = new Map<string, Suppression[]>();
  for (const suppression of suppressions) {
    for (const rule of suppression.rules) byRule.set(rule, [...(byRule.get(rule) ?? []), suppression]);
  }
  return ({ rule, agentId, service, now }) =>
    byRule
      .get(rule)
      ?.some(
        ({ agents, services, expiresAt }) =>
          (expiresAt === null || now < expiresAt) &&
          (agents.length === 0 || agents.includes(agentId)) &&
          (services.length === 0 || services.includes(service)),
      ) ?? false;
}
