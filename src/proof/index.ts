export type { AccessTokenClaims, BudgetClaim, StatusReference } from './access-token.ts';
export { checkAccessTokenTime, verifyAccessToken } from './access-token.ts';
export type { SignatureAlgorithm } from './algorithms.ts';
export {
  type AccessGrant,
  denyAccess,
  isScopeWithin,
} from './authorize.ts';
export { decodeBase64url, encodeBase64url } from './base64url.ts';
export { type ClaimConditions, meetsConditions, parseClaimConditions } from './claim-conditions.ts';
export type { VerifiedProof } from './dpop.ts';
export { DPOP_ALGORITHMS, parseDpopProof, verifyDpopProof } from './dpop.ts';
export { ProofFault } from './fault.ts';
export { checkSignature, parseCompactJws, readClaims, readType } from './jws.ts';
export type { PublicJwk } from './public-jwk.ts';
export { keyFits, parsePublicJwk } from './public-jwk.ts';
export {
  packStatuses,
  parseStatusList,
  STATUS_LIST_TYPE,
  verifyStatusListToken,
} from './status-list.ts';
export { parseStrictJson, parseStrictJsonObject } from './strict-json.ts';
export { normalizeTarget } from './target.ts';
export { jwkThumbprint } from './thumbprint.ts';
export {
  type ArgumentConstraint,
  type AttemptedCall,
  covers,
  DETAIL_TYPE,
  isWithin,
  namesCall,
  narrow,
  parseToolCallDetails,
  type ToolCallDetail,
} from './tool-call/index.ts';
