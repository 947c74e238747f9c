import type { Call } from '@haat/kit/call'
import { invalidFields } from '@haat/kit/errors'
import { decodeCursor, pageSize, toPage } from '@haat/kit/page'
import { sql } from '@haat/kit/postgres'
import type { ListTemplatesRequest, ListTemplatesResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { toTemplate } from '../db/templates.ts'
import { toLocale } from '../domain/locale.ts'
import { channels } from '../domain/names.ts'

export async function listTemplates(
  ctx: NotificationContext,
  request: ListTemplatesRequest,
  _call: Call,
): Promise<ListTemplatesResponse> {
  if (request.allVersions && !request.key)
    throw invalidFields([{ field: 'all_versions', rule: 'key_required', message: 'needs a key' }])
  const size = pageSize(request.pageSize)
  const after = decodeCursor(request.pageToken, 4)
  let query = ctx.db
    .selectFrom('templates')
    .selectAll()
    .orderBy('key')
    .orderBy('channel')
    .orderBy('locale')
    .orderBy('version', 'desc')
    .limit(size + 1)
  if (!request.allVersions) query = query.where('is_current', '=', true)
  if (request.key) query = query.where('key', '=', request.key)
  if (request.channel) query = query.where('channel', '=', channels.toName(request.channel))
  if (request.locale) query = query.where('locale', '=', toLocale(request.locale))
  if (after)
    query = query.where(
      sql<boolean>`((key, channel, locale) > (${after[0]}, ${after[1]}, ${after[2]})
        or ((key, channel, locale) = (${after[0]}, ${after[1]}, ${after[2]}) and version < ${Number(after[3])}))`,
    )
  const page = toPage(await query.execute(), size, (row) => [row.key, row.channel, row.locale, row.version])
  return { templates: page.items.map(toTemplate), nextPageToken: page.nextPageToken }
}
