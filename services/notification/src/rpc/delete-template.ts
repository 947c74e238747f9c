import type { Call } from '@haat/kit/call'
import { notFound } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { TemplateDeleted } from '@haat/proto/notification/v1/events'
import type { DeleteTemplateRequest, DeleteTemplateResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { insertShipped } from '../db/seed-templates.ts'
import { findCurrent, lockTemplate, retire } from '../db/templates.ts'
import { toLocale } from '../domain/locale.ts'
import { channels } from '../domain/names.ts'

export async function deleteTemplate(
  ctx: NotificationContext,
  request: DeleteTemplateRequest,
  _call: Call,
): Promise<DeleteTemplateResponse> {
  const { key } = request
  const name = { key, channel: channels.toName(request.channel), locale: toLocale(request.locale) }
  const shipped = ctx.shipped.find(
    (text) => text.key === key && text.channel === name.channel && text.locale === name.locale,
  )
  return ctx.db.transaction().execute(async (tx) => {
    await lockTemplate(tx, name)
    const current = await findCurrent(tx, name)
    if (!current) throw notFound('template_not_found', 'no such template')
    // It is the text it came with already.
    if (shipped && current.built_in) return {}
    if (shipped) await insertShipped(tx, shipped)
    else await retire(tx, name)
    await emit(tx, TemplateDeleted, { templateKey: key, channel: request.channel, locale: name.locale })
    return {}
  })
}
