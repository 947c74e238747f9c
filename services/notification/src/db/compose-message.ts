import type { NotificationContext } from '../context.ts'
import { type Composed, compose } from '../domain/compose.ts'
import type { Locale } from '../domain/locale.ts'
import type { ChannelName, TopicName } from '../domain/names.ts'
import type { Payload } from '../domain/values.ts'
import type { StoredTemplate } from './schema.ts'

export type Written = Composed & { locale: Locale; version: number }

/** Writes a message from its template. Throws TemplateError. */
export function composeMessage(
  ctx: NotificationContext,
  template: StoredTemplate,
  { topic, userId, payload }: { topic: TopicName; userId: string | undefined; payload: Payload },
): Written {
  const unsubscribeUrl = unsubscribeOf(ctx, { userId, topic, channel: template.channel })?.url ?? ''
  const { site, timeZone } = ctx
  const composed = compose(template, { payload, site, timeZone, unsubscribeUrl })
  return { ...composed, locale: template.locale, version: template.version }
}

/** How a person stops messages of a kind; undefined for those that always go out and for bare addresses. */
export function unsubscribeOf(
  ctx: NotificationContext,
  { userId, topic, channel }: { userId: string | undefined; topic: TopicName; channel: ChannelName },
): { url: string; postUrl: string | undefined } | undefined {
  if (!userId || topic === 'account') return undefined
  const token = ctx.secrets.sign(`${userId}:${topic}:${channel}`)
  const url = `${ctx.site.storefront}/unsubscribe?token=${token}`
  if (!ctx.unsubscribePostUrl) return { url, postUrl: undefined }
  const postUrl = new URL(ctx.unsubscribePostUrl)
  postUrl.searchParams.set('token', token)
  return { url, postUrl: postUrl.href }
}
