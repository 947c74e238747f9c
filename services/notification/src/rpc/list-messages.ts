import type { Call } from '@haat/kit/call'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import type { ListMessagesRequest, ListMessagesResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { toMessage } from '../db/messages.ts'
import { channels, statuses } from '../domain/names.ts'

export async function listMessages(
  ctx: NotificationContext,
  request: ListMessagesRequest,
  _call: Call,
): Promise<ListMessagesResponse> {
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 1)
  let query = ctx.db
    .selectFrom('messages')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(size + 1)
  if (request.status) query = query.where('status', '=', statuses.toName(request.status))
  if (request.channel) query = query.where('channel', '=', channels.toName(request.channel))
  if (request.templateKey) query = query.where('template_key', '=', request.templateKey)
  if (request.userId) query = query.where('user_id', '=', request.userId)
  if (request.eventId) query = query.where('event_id', '=', request.eventId)
  if (request.to)
    query = query.where((eb) => eb(eb.fn('lower', ['to']), '=', request.to.toLowerCase())).where('to', '<>', '')
  if (after) query = query.where('id', '<', String(after[0]))
  const page = toPage(await query.execute(), size, (row) => [row.id])
  const options = { includeBody: request.includeBody, showsSecrets: ctx.showsSecrets }
  return { messages: page.items.map((row) => toMessage(row, options)), nextPageToken: page.nextPageToken }
}
