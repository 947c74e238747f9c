import { type Call, requireUser } from '@haat/kit/call'
import { failedPrecondition } from '@haat/kit/errors'
import type { RequestEmailVerificationRequest, RequestEmailVerificationResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { use, verificationKey } from '../db/throttles.ts'
import { getUser, lockUser } from '../db/users.ts'
import { mailVerification } from './mail-verification.ts'

export async function requestEmailVerification(
  ctx: AuthContext,
  _request: RequestEmailVerificationRequest,
  call: Call,
): Promise<RequestEmailVerificationResponse> {
  const userId = requireUser(call)
  if ((await getUser(ctx.db, userId)).email_verified_at) throw alreadyVerified()
  await use(ctx, verificationKey(userId), ctx.limits.mailsPerAccount)
  await ctx.db.transaction().execute(async (tx) => {
    const user = await lockUser(tx, userId)
    if (user.email_verified_at) throw alreadyVerified()
    await mailVerification(tx, { ...user, email: user.email ?? '' }, ctx.now())
  })
  return {}
}

const alreadyVerified = () => failedPrecondition('email_already_verified', 'this address is confirmed already')
