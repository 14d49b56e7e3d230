export { controlHostNames } from './api/host-names.ts';
export { adminApiReference, openApiReference } from './api/reference.ts';
export { referencePage } from './api/reference-page.ts';
export { createAdminApi } from './api/router.ts';
export type { FirstAdministrator } from './first-administrator.ts';
export { ensureFirstAdministrator, RECOVERY_FILE } from './first-administrator.ts';
export type { AdminRooms } from './rooms.ts';
export type {
  AdminRole,
  AdminTokenRecord,
  AdminTokenStore,
  IdempotencyRecord,
  IdempotencyStore,
} from './store.ts';
export { AdminTokens, generateAdminToken } from './tokens.ts';
