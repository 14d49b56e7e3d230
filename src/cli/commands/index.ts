import type { Command } from '../command.ts';
import { agentAdd } from './agent-add.ts';
import { agentList } from './agent-list.ts';
import { agentQuarantine } from './agent-quarantine.ts';
import { agentRelease } from './agent-release.ts';
import { agentRemove } from './agent-remove.ts';
import { agentRotate } from './agent-rotate.ts';
import { agentShow } from './agent-show.ts';
import { agentUpdate } from './agent-update.ts';
import { alertDeliveries } from './alert-deliveries.ts';
import { alertList } from './alert-list.ts';
import { approvalApprove } from './approval-approve.ts';
import { approvalDeny } from './approval-deny.ts';
import { approvalList } from './approval-list.ts';
import { approvalShow } from './approval-show.ts';
import { approvalWait } from './approval-wait.ts';
import { auditCheckpoint } from './audit-checkpoint.ts';
import { auditExport } from './audit-export.ts';
import { auditTail } from './audit-tail.ts';
import { auditVerify } from './audit-verify.ts';
import { backup } from './backup.ts';
import { caExport } from './ca-export.ts';
import { caStatus } from './ca-status.ts';
import { call } from './call.ts';
import { completion } from './completion.ts';
import { credentialDelete } from './credential-delete.ts';
import { credentialList } from './credential-list.ts';
import { credentialPut } from './credential-put.ts';
import { credentialRevoke } from './credential-revoke.ts';
import { credentialRotate } from './credential-rotate.ts';
import { decoyList } from './decoy-list.ts';
import { decoyPlant } from './decoy-plant.ts';
import { decoyRemove } from './decoy-remove.ts';
import { demo } from './demo.ts';
import { detectorExplain } from './detector-explain.ts';
import { detectorExport } from './detector-export.ts';
import { detectorReplay } from './detector-replay.ts';
import { detectorReport } from './detector-report.ts';
import { detectorRules } from './detector-rules.ts';
import { detectorScore } from './detector-score.ts';
import { detectorTest } from './detector-test.ts';
import { doctor } from './doctor.ts';
import { grantEnd } from './grant-end.ts';
import { grantList } from './grant-list.ts';
import { guardCheck } from './guard-check.ts';
import { guardScore } from './guard-score.ts';
import { guardServe } from './guard-serve.ts';
import { guardStats } from './guard-stats.ts';
import { hookInstall } from './hook-install.ts';
import { hookRun } from './hook-run.ts';
import { hookUninstall } from './hook-uninstall.ts';
import { init } from './init.ts';
import { initialTokenCreate } from './initial-token-create.ts';
import { initialTokenDelete } from './initial-token-delete.ts';
import { initialTokenList } from './initial-token-list.ts';
import { keyRotate } from './key-rotate.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { passportDelegate } from './passport-delegate.ts';
import { passportInspect } from './passport-inspect.ts';
import { passportList } from './passport-list.ts';
import { passportRevoke } from './passport-revoke.ts';
import { policyCheck } from './policy-check.ts';
import { policyExplain } from './policy-explain.ts';
import { policyReload } from './policy-reload.ts';
import { policyStatus } from './policy-status.ts';
import { policyTest } from './policy-test.ts';
import { restore } from './restore.ts';
import { run } from './run.ts';
import { serviceAdd } from './service-add.ts';
import { serviceList } from './service-list.ts';
import { serviceRemove } from './service-remove.ts';
import { serviceShow } from './service-show.ts';
import { sinkAdd } from './sink-add.ts';
import { sinkList } from './sink-list.ts';
import { sinkRemove } from './sink-remove.ts';
import { sinkTest } from './sink-test.ts';
import { status } from './status.ts';
import { tokenCreate } from './token-create.ts';
import { tokenDelete } from './token-delete.ts';
import { tokenList } from './token-list.ts';
import { up } from './up.ts';
import { userAdd } from './user-add.ts';
import { userDisable } from './user-disable.ts';
import { userEnable } from './user-enable.ts';
import { userLink, userUnlink } from './user-link.ts';
import { userList } from './user-list.ts';
import { userRemove } from './user-remove.ts';
import { userReset } from './user-reset.ts';
import { version } from './version.ts';

/** Every verb, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  init,
  up,
  demo,
  status,
  doctor,
  backup,
  restore,
  version,
  login,
  logout,
  agentAdd,
  agentList,
  agentShow,
  agentUpdate,
  agentRotate,
  agentQuarantine,
  agentRelease,
  agentRemove,
  initialTokenCreate,
  initialTokenList,
  initialTokenDelete,
  userAdd,
  userList,
  userDisable,
  userEnable,
  userReset,
  userLink,
  userUnlink,
  userRemove,
  grantList,
  grantEnd,
  serviceAdd,
  serviceList,
  serviceShow,
  serviceRemove,
  credentialPut,
  credentialRotate,
  credentialList,
  credentialRevoke,
  credentialDelete,
  passportList,
  passportInspect,
  passportDelegate,
  passportRevoke,
  approvalList,
  approvalShow,
  approvalApprove,
  approvalDeny,
  approvalWait,
  policyCheck,
  policyTest,
  hookInstall,
  hookUninstall,
  hookRun,
  detectorExport,
  detectorReplay,
  detectorReport,
  detectorExplain,
  detectorScore,
  detectorTest,
  detectorRules,
  guardCheck,
  guardScore,
  guardServe,
  guardStats,
  policyExplain,
  policyStatus,
  policyReload,
  caExport,
  caStatus,
  auditVerify,
  auditTail,
  auditExport,
  auditCheckpoint,
  alertList,
  alertDeliveries,
  sinkAdd,
  sinkList,
  sinkRemove,
  sinkTest,
  decoyPlant,
  decoyList,
  decoyRemove,
  tokenCreate,
  tokenList,
  tokenDelete,
  keyRotate,
  call,
  run,
  completion(() => COMMANDS),
];
