export type { Config, Paths } from './load.ts';
export { ConfigError, loadConfig } from './load.ts';
export { configurationReference } from './reference.ts';
export { summarizeConfig } from './summary.ts';
