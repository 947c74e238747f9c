import { type Call, requireUser } from '@haat/kit/call'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import { sql } from '@haat/kit/postgres'
import type { ListSessionsRequest, ListSessionsResponse } from '@haat/proto/auth/v1/auth'
import type { AuthContext } from '../context.ts'

export async function listSessions(
  ctx: AuthContext,
  request: ListSessionsRequest,
  call: Call,
): Promise<ListSessionsResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 2)
  let query = ctx.db
    .selectFrom('sessions')
    .selectAll()
    .where('user_id', '=', requireUser(call))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', ctx.now())
    .orderBy('last_used_at', 'desc')
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (after)
    query = query.where(
      sql<boolean>`(last_used_at, id) < (${new Date(Number(after[0]))}::timestamptz, ${String(after[1])}::uuid)`,
    )
  const page = toPage(await query.execute(), size, (row) => [row.last_used_at.getTime(), row.id])
  return {
    sessions: page.items.map((row) => ({
      id: row.id,
      createdAt: row.created_at,
      lastUsedAt: row.last_used_at,
      expiresAt: row.expires_at,
      userAgent: row.user_agent,
      ip: row.ip,
      current: row.id === call.caller.sessionId,
    })),
    nextPageToken: page.nextPageToken,
  }
}
