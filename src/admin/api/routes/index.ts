import type { Route } from '../route.ts';
import { agentRoutes } from './agents.ts';
import { alertRoutes } from './alerts.ts';
import { approvalRoutes } from './approvals.ts';
import { auditRoutes } from './audit.ts';
import { backupRoutes } from './backup.ts';
import { credentialRoutes } from './credentials.ts';
import { decoyRoutes } from './decoys.ts';
import { describe } from './description.ts';
import { grantRoutes } from './grants.ts';
import { initialTokenRoutes } from './initial-tokens.ts';
import { operationRoutes } from './operations.ts';
import { passportRoutes } from './passports.ts';
import { policyRoutes } from './policies.ts';
import { serviceRoutes } from './services.ts';
import { tokenRoutes } from './tokens.ts';
import { userRoutes } from './users.ts';

const RESOURCES: readonly Route[] = [
  ...agentRoutes,
  ...initialTokenRoutes,
  ...userRoutes,
  ...grantRoutes,
  ...serviceRoutes,
  ...credentialRoutes,
  ...passportRoutes,
  ...approvalRoutes,
  ...policyRoutes,
  ...alertRoutes,
  ...decoyRoutes,
  ...auditRoutes,
  ...tokenRoutes,
  ...operationRoutes,
  ...backupRoutes,
];

/** The whole admin API: a line each for the server, the OpenAPI document and the reference page. */
export const ROUTES: readonly Route[] = [...RESOURCES, describe(RESOURCES)];
