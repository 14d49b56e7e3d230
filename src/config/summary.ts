import type { JsonObject, JsonValue } from '../core/index.ts';
import { settingLeaves } from './leaves.ts';
import type { Config } from './load.ts';

/** The settings as a record of the log may hold them: secret ones replaced. */
export function summarizeConfig(config: Config): JsonObject {
  const summary: Record<string, JsonValue> = {};
  for (const leaf of settingLeaves()) {
    const section = Object.entries(config).find(([name]) => name === leaf.section)?.[1];
    const value = Object.entries(section ?? {}).find(([name]) => name === leaf.name)?.[1];
    const shown =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
    summary[`${leaf.section}.${leaf.name}`] = leaf.secret && shown !== null ? '[secret]' : shown;
  }
  return summary;
}
