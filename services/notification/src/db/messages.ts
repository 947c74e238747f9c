import { createHash } from 'node:crypto'
import { afterCommit } from '@haat/kit/commits'
import { newId } from '@haat/kit/id'
import type { Insertable, Transaction } from '@haat/kit/postgres'
import type { Message } from '@haat/proto/notification/v1/notification'
import type { Kysely } from 'kysely'
import type { NotificationContext } from '../context.ts'
import { type BuiltInKey, channelsOf, findBuiltIn } from '../domain/built-in.ts'
import { channels, statuses, topics } from '../domain/names.ts'
import { priorityOf, wants } from '../domain/preferences.ts'
import { type Payload, toPayload } from '../domain/values.ts'
import { hasLeft, loadPeople, NOBODY } from './people.ts'
import type { Database, MessageRow, StoredMessage } from './schema.ts'

/** A person as an event names them; what it does not tell is found out before sending. */
export type Addressee = {
  userId?: string | undefined
  email?: string | undefined
  name?: string | undefined
  locale?: string | undefined
}

/**
 * Queues a built-in message for one person by every channel that it has, that is configured and that the person has an address
 * for. Once per event, person, template and channel, or per `once` instead of the event. What the person does not want by e-mail is recorded as suppressed.
 */
export async function queueForPerson(
  ctx: NotificationContext,
  tx: Transaction<Database>,
  message: {
    eventId: string
    template: BuiltInKey
    to: Addressee
    values: object
    expiresAt?: Date | undefined
    once?: string | undefined
  },
): Promise<void> {
  const { template, to, eventId, once } = message
  const { topic, confidential = false } = findBuiltIn(template)!
  // Who is forgotten meanwhile would be overlooked in what this writes.
  const known = to.userId ? (await loadPeople(tx, [to.userId], { hold: true })).get(to.userId)! : NOBODY
  const gone = hasLeft(known)
  const payload = gone ? {} : toPayload({ ...message.values, ...(to.name && { recipient: { name: to.name } }) })
  const row = (more: Pick<Insertable<MessageRow>, 'channel' | 'recipient' | 'to' | 'status'>) => ({
    id: newId(ctx.now().getTime()),
    template_key: template,
    locale: to.locale === 'bn' || to.locale === 'en' ? (to.locale as 'en' | 'bn') : ('' as const),
    topic,
    confidential,
    user_id: to.userId || null,
    payload_json: JSON.stringify(payload),
    priority: priorityOf(topic),
    next_attempt_at: more.status === 'queued' ? ctx.now() : null,
    expires_at: message.expiresAt ?? null,
    event_id: eventId,
    dedupe_key: once ? `once:${once}:${more.recipient}:${template}:${more.channel}` : null,
    created_at: ctx.now(),
    ...more,
  })
  const rows: Insertable<MessageRow>[] = []
  for (const channel of channelsOf(template)) {
    if (!ctx.providers[channel]) continue
    const isWanted = !gone && wants(known.wishes, topic, channel)
    if (channel === 'email') {
      if (!to.userId && !to.email) continue
      const recipient = to.userId ? `user:${to.userId}` : addressRecipient(to.email!)
      rows.push(
        row({ channel, recipient, to: gone ? '' : (to.email ?? ''), status: isWanted ? 'queued' : 'suppressed' }),
      )
    } else if (to.userId && isWanted && channel === 'sms')
      rows.push(row({ channel, recipient: `user:${to.userId}`, to: '', status: 'queued' }))
    else if (to.userId && isWanted)
      for (const { id, endpoint } of await listSubscriptions(tx, to.userId))
        rows.push(row({ channel, recipient: `push:${id}`, to: endpoint, status: 'queued' }))
  }
  if (rows.length === 0) return
  await tx
    .insertInto('messages')
    .values(rows)
    .onConflict((c) => c.doNothing())
    .execute()
  await afterCommit(tx, () => ctx.runSoon('send-messages'))
}

/** A person's browsers, the newest first. */
export const listSubscriptions = (db: Kysely<Database>, userId: string) =>
  db.selectFrom('push_subscriptions').selectAll().where('user_id', '=', userId).orderBy('id', 'desc').execute()

/** Names an address without holding it. */
export const addressRecipient = (address: string): string =>
  `to:${createHash('sha256').update(address.toLowerCase()).digest('hex')}`

/** Bodies are answered when asked for; those of confidential messages only where secrets may be shown. */
export function toMessage(row: StoredMessage, options: { includeBody: boolean; showsSecrets: boolean }): Message {
  const showsBody = options.includeBody && (!row.confidential || options.showsSecrets)
  return {
    id: row.id,
    templateKey: row.template_key,
    templateVersion: row.template_version,
    channel: channels.fromName(row.channel),
    locale: row.locale,
    to: row.to,
    userId: row.user_id ?? undefined,
    status: statuses.fromName(row.status),
    subject: row.subject,
    bodyHtml: showsBody ? row.body_html : '',
    bodyText: showsBody ? row.body_text : '',
    provider: row.provider,
    providerId: row.provider_id,
    error: row.error,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at ?? undefined,
    eventId: row.event_id ?? undefined,
    createdAt: row.created_at,
    sentAt: row.sent_at ?? undefined,
    topic: topics.fromName(row.topic),
  }
}

/** What a message's template may use: its own values, and who it is for. */
export const payloadOf = (row: { payload_json: Payload }, personName: string | undefined): Payload => ({
  ...row.payload_json,
  recipient: row.payload_json.recipient ?? { name: personName ?? '' },
})
