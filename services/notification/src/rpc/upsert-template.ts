import type { Call } from '@haat/kit/call'
import { aborted, invalid } from '@haat/kit/errors'
import { emit } from '@haat/kit/events/emit'
import { TemplateUpdated } from '@haat/proto/notification/v1/events'
import type { UpsertTemplateRequest, UpsertTemplateResponse } from '@haat/proto/notification/v1/notification'
import type { NotificationContext } from '../context.ts'
import { findCurrent, insertVersion, lockTemplate, toTemplate } from '../db/templates.ts'
import { COMMON, findBuiltIn } from '../domain/built-in.ts'
import { unknownVariables } from '../domain/compose.ts'
import { toLocale } from '../domain/locale.ts'
import { channels, topics } from '../domain/names.ts'
import { readable } from './readable.ts'

export async function upsertTemplate(
  ctx: NotificationContext,
  request: UpsertTemplateRequest,
  call: Call,
): Promise<UpsertTemplateResponse> {
  const name = { key: request.key, channel: channels.toName(request.channel), locale: toLocale(request.locale) }
  const content = {
    subject: name.channel === 'sms' ? '' : request.subject.trim(),
    body_md: request.bodyMd,
    topic: topics.toName(request.topic),
  }
  if (name.channel !== 'sms' && !content.subject)
    throw invalid('template_subject_missing', 'e-mail and push need a subject')
  readable(content)
  const builtIn = findBuiltIn(request.key)
  if (builtIn) {
    if (content.topic !== builtIn.topic)
      throw invalid('template_topic_fixed', `this template is about ${builtIn.topic}`, { topic: builtIn.topic })
    const variables = unknownVariables(content, { ...COMMON, ...builtIn.sample })
    if (variables.length)
      throw invalid('template_variable_unknown', `this template has no ${variables.join(', ')}`, { variables })
  }
  return ctx.db.transaction().execute(async (tx) => {
    await lockTemplate(tx, name)
    const current = await findCurrent(tx, name)
    const isSame =
      current?.subject === content.subject && current.body_md === content.body_md && current.topic === content.topic
    if (current && isSame) return { template: toTemplate(current) }
    const version = current?.version ?? 0
    if (request.expectedVersion !== undefined && request.expectedVersion !== version)
      throw aborted('template_version_conflict', 'the template changed meanwhile', { version })
    const template = await insertVersion(tx, name, {
      ...content,
      confidential: builtIn?.confidential ?? false,
      built_in: false,
      created_by: call.caller.kind === 'user' ? call.caller.id : null,
    })
    await emit(tx, TemplateUpdated, {
      templateKey: name.key,
      channel: request.channel,
      locale: name.locale,
      templateVersion: template.version,
    })
    return { template: toTemplate(template) }
  })
}
