import type { Call } from '@haat/kit/call'
import { unauthenticated } from '@haat/kit/errors'
import { newId } from '@haat/kit/id'
import { deriveKey, open, seal } from '@haat/kit/seal'
import type { RefreshRequest, RefreshResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'
import { earlier, findRefreshToken, insertRefreshToken, type OpenedSession, revokeSessions } from '../db/sessions.ts'
import { getUser, toUser } from '../db/users.ts'
import { newToken } from '../domain/secrets.ts'
import { clientAddress } from './client-address.ts'
import { accountBlocked } from './login.ts'
import { sessionTokens } from './session-tokens.ts'

/** A client that lost the answer may ask again this long, and gets the same successor. */
const REPEAT_MS = 10_000

export async function refresh(ctx: AuthContext, request: RefreshRequest, call: Call): Promise<RefreshResponse> {
  const token = await findRefreshToken(ctx.db, request.refreshToken)
  if (!token) throw tokenInvalid()
  const user = await getUser(ctx.db, token.user_id)
  if (user.forgotten_at) throw tokenInvalid()
  if (user.status === 'blocked') throw accountBlocked()

  const outcome = await rotate(ctx, token, request, clientAddress(call, request.clientIp).ip)
  if (outcome === 'invalid') throw tokenInvalid()
  if (outcome === 'reused') {
    call.log.warn({ userId: user.id, sessionId: token.session_id }, 'a spent refresh token was shown: session revoked')
    throw unauthenticated('refresh_token_reused', 'this refresh token was used before; sign in again')
  }
  const current = await getUser(ctx.db, token.user_id)
  return { user: toUser(current), tokens: await sessionTokens(ctx, current, outcome) }
}

/** Spends the token for its successor. The session's row is held, so that a session that ends meanwhile ends this too. */
async function rotate(
  ctx: AuthContext,
  token: NonNullable<Awaited<ReturnType<typeof findRefreshToken>>>,
  request: RefreshRequest,
  ip: string,
): Promise<OpenedSession | 'invalid' | 'reused'> {
  const now = ctx.now()
  const successor = { id: newId(now.getTime()), token: newToken() }
  const sealKey = deriveKey(request.refreshToken, 'haat.auth.refresh-successor')
  const place = `refresh_tokens:successor_sealed:${token.id}`
  return ctx.db.transaction().execute(async (tx) => {
    const session = await tx
      .updateTable('sessions')
      .set({
        last_used_at: now,
        ...(ip ? { ip } : {}),
        ...(request.userAgent ? { user_agent: request.userAgent } : {}),
      })
      .where('id', '=', token.session_id)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', now)
      .returning(['id', 'ends_at'])
      .executeTakeFirst()
    if (!session) return 'invalid'
    const expiresAt = earlier(new Date(now.getTime() + ctx.sessions.idleMs), session.ends_at)
    const spent = await tx
      .updateTable('refresh_tokens')
      .set({ used_at: now, successor_id: successor.id, successor_sealed: seal(sealKey, successor.token, place) })
      .where('id', '=', token.id)
      .where('used_at', 'is', null)
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', now)
      .returning('id')
      .executeTakeFirst()
    if (spent) {
      const { user_id: userId } = token
      await insertRefreshToken(tx, { ...successor, userId, sessionId: session.id, now, expiresAt })
      await tx.updateTable('sessions').set({ expires_at: expiresAt }).where('id', '=', session.id).execute()
      return { sessionId: session.id, refreshToken: successor.token, refreshTokenExpiresAt: expiresAt }
    }
    const standing = await tx
      .selectFrom('refresh_tokens as parent')
      .leftJoin('refresh_tokens as child', 'child.id', 'parent.successor_id')
      .select([
        'parent.used_at',
        'parent.successor_sealed',
        'child.used_at as child_used_at',
        'child.expires_at as child_expires_at',
      ])
      .where('parent.id', '=', token.id)
      .executeTakeFirst()
    if (!standing?.used_at) return 'invalid'
    const isRepeat = now.getTime() - standing.used_at.getTime() <= REPEAT_MS && standing.child_used_at === null
    if (isRepeat && standing.successor_sealed && standing.child_expires_at)
      return {
        sessionId: session.id,
        refreshToken: open(sealKey, standing.successor_sealed, place).toString('utf8'),
        refreshTokenExpiresAt: standing.child_expires_at,
      }
    await revokeSessions(tx, { userId: token.user_id, only: session.id }, 'reuse', now)
    return 'reused'
  })
}

const tokenInvalid = () => unauthenticated('refresh_token_invalid', 'this refresh token does not work; sign in again')
