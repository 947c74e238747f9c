import type { RpcTable } from '@haat/kit/grpc-server'
import type { AuthServiceImplementation } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { assignRole } from './assign-role.ts'
import { batchGetUsers } from './batch-get-users.ts'
import { changePassword } from './change-password.ts'
import { createServiceAccount } from './create-service-account.ts'
import { forgotPassword } from './forgot-password.ts'
import { getJwks } from './get-jwks.ts'
import { getMe } from './get-me.ts'
import { getUser } from './get-user.ts'
import { issueServiceToken } from './issue-service-token.ts'
import { listRoles } from './list-roles.ts'
import { listServiceAccounts } from './list-service-accounts.ts'
import { listSessions } from './list-sessions.ts'
import { listUsers } from './list-users.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { lookupUser } from './lookup-user.ts'
import { refresh } from './refresh.ts'
import { register } from './register.ts'
import { requestEmailVerification } from './request-email-verification.ts'
import { resetPassword } from './reset-password.ts'
import { revokeRole } from './revoke-role.ts'
import { revokeServiceAccount } from './revoke-service-account.ts'
import { revokeSession } from './revoke-session.ts'
import { setUserStatus } from './set-user-status.ts'
import { upsertRole } from './upsert-role.ts'
import { verifyEmail } from './verify-email.ts'

export const rpc: RpcTable<AuthContext, AuthServiceImplementation> = {
  assignRole,
  batchGetUsers,
  changePassword,
  createServiceAccount,
  forgotPassword,
  getJwks,
  getMe,
  getUser,
  issueServiceToken,
  listRoles,
  listServiceAccounts,
  listSessions,
  listUsers,
  login,
  logout,
  lookupUser,
  refresh,
  register,
  requestEmailVerification,
  resetPassword,
  revokeRole,
  revokeServiceAccount,
  revokeSession,
  setUserStatus,
  upsertRole,
  verifyEmail,
}
