import { newId } from '@haat/kit/id'
import type { Transaction } from '@haat/kit/postgres'
import type { Kysely } from 'kysely'
import type { AuthContext } from '../context.ts'
import { hashOf, newToken } from '../domain/secrets.ts'
import type { Database } from './schema.ts'

/** A session's refresh token, in the clear: it goes to the client and nowhere else. */
export type OpenedSession = { sessionId: string; refreshToken: string; refreshTokenExpiresAt: Date }

/** Opens a session for an account whose row this transaction holds. */
export async function insertSession(
  tx: Transaction<Database>,
  ctx: Pick<AuthContext, 'sessions' | 'now'>,
  session: { userId: string; userAgent: string; ip: string },
): Promise<OpenedSession> {
  const now = ctx.now()
  const sessionId = newId(now.getTime())
  const endsAt = new Date(now.getTime() + ctx.sessions.maxMs)
  const expiresAt = earlier(new Date(now.getTime() + ctx.sessions.idleMs), endsAt)
  await tx
    .insertInto('sessions')
    .values({
      id: sessionId,
      user_id: session.userId,
      user_agent: session.userAgent,
      ip: session.ip,
      created_at: now,
      last_used_at: now,
      expires_at: expiresAt,
      ends_at: endsAt,
      revoked_at: null,
      revoke_reason: null,
    })
    .execute()
  const refreshToken = newToken()
  await insertRefreshToken(tx, {
    id: newId(now.getTime()),
    userId: session.userId,
    sessionId,
    token: refreshToken,
    now,
    expiresAt,
  })
  return { sessionId, refreshToken, refreshTokenExpiresAt: expiresAt }
}

export async function insertRefreshToken(
  tx: Transaction<Database>,
  token: { id: string; userId: string; sessionId: string; token: string; now: Date; expiresAt: Date },
): Promise<void> {
  await tx
    .insertInto('refresh_tokens')
    .values({
      id: token.id,
      user_id: token.userId,
      session_id: token.sessionId,
      token_hash: hashOf(token.token),
      created_at: token.now,
      expires_at: token.expiresAt,
      used_at: null,
      revoked_at: null,
      successor_id: null,
      successor_sealed: null,
    })
    .execute()
}

export type RevokeReason = 'logout' | 'revoked' | 'reuse' | 'password' | 'blocked'

/** Ends open sessions with all their tokens: all of a person's, one of them, or all but one. Answers how many. */
export async function revokeSessions(
  tx: Transaction<Database>,
  which: { userId: string; only?: string; except?: string | undefined },
  reason: RevokeReason,
  now: Date,
): Promise<number> {
  let query = tx
    .updateTable('sessions')
    .set({ revoked_at: now, revoke_reason: reason })
    .where('user_id', '=', which.userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
  if (which.only) query = query.where('id', '=', which.only)
  if (which.except) query = query.where('id', '!=', which.except)
  const revoked = await query.returning('id').execute()
  if (revoked.length)
    await tx
      .updateTable('refresh_tokens')
      .set({ revoked_at: now, successor_sealed: null })
      .where(
        'session_id',
        'in',
        revoked.map((session) => session.id),
      )
      .where('revoked_at', 'is', null)
      .execute()
  return revoked.length
}

export const findRefreshToken = (db: Kysely<Database>, token: string) =>
  db.selectFrom('refresh_tokens').selectAll().where('token_hash', '=', hashOf(token)).executeTakeFirst()

/** True while a session is open and its person may sign in. */
export async function isSessionOpen(db: Kysely<Database>, sessionId: string, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select('sessions.id')
    .where('sessions.id', '=', sessionId)
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', now)
    .where('users.status', '!=', 'blocked')
    .executeTakeFirst()
  return row !== undefined
}

export const earlier = (a: Date, b: Date): Date => (a < b ? a : b)
